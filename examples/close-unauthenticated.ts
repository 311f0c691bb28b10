// Clients must log in within a few seconds, or they are closed: connections that somebody opens and forgets, or opens
// by the thousand, do not stay.
//
// `closeUnauthenticatedAfter` says how long a connection may live without `connection.authenticated`; setting that to
// true, after whatever proof the program asks for, is all there is to do.
//
//     npx longshore start examples/close-unauthenticated.ts
//
// Try it: type "login open sesame", then anything; or nothing at all, and wait.
//
//     nc 127.0.0.1 2350
//
// Environment: PORT      (default 2350)
//              SECONDS   time to log in (default 5)
//              PASSWORD  (default "open sesame")
import { Worker } from 'longshore';

const PORT = Number(process.env['PORT'] ?? 2350);
const SECONDS = Number(process.env['SECONDS'] ?? 5);
const PASSWORD = process.env['PASSWORD'] ?? 'open sesame';

const server = new Worker(`text://0.0.0.0:${PORT}`, {
  name: 'members',
  closeUnauthenticatedAfter: SECONDS,
});

server.onMessage = (connection, line) => {
  if (connection.authenticated) {
    connection.send(`you said: ${line}`);
  } else if (line === `login ${PASSWORD}`) {
    connection.authenticated = true;
    connection.send('welcome');
  } else {
    connection.close('wrong password');
  }
};

await Worker.runAll();
