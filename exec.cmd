@rem The start script says `exec node …`: without `exec` a shell stands between npm and the server, and keeps SIGINT to itself.
@rem Here, where no shell has that word, it means: run what follows.
@%*
