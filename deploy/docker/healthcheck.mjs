// @ts-check
// Whether the server of this container works: /live answers. Exit code 0 or 1.
import { request as http } from 'node:http';
import { request as https } from 'node:https';

const port = Number(process.env.DEPTHWIRE_PORT ?? 8642);

/** @param {typeof http} request */
function lives(request) {
  return new Promise((resolve) => {
    const asked = request(
      // The certificate is of the public name, and this asks its own machine.
      { host: '127.0.0.1', port, path: '/live', timeout: 2000, rejectUnauthorized: false },
      (answer) => {
        answer.resume();
        resolve(answer.statusCode === 200);
      },
    );
    asked.on('error', () => resolve(false));
    asked.on('timeout', () => asked.destroy());
    asked.end();
  });
}

process.exit((await lives(http)) || (await lives(https)) ? 0 : 1);
