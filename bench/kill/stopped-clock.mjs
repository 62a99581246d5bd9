// @ts-check
/** Loaded before a program: its clock stands still, as of a machine that has set it back when it starts again. */
const atMs = Number(process.env.STOPPED_CLOCK_MS);
Date.now = () => atMs;
