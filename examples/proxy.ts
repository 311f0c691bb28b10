// A TCP proxy: each client gets a connection of its own to the target, and bytes are piped both ways.
//
// `pipe` brings the flow control: while one end does not take what the other sends, that other end is not read from.
// So a proxy between a fast and a slow peer needs little memory, and nothing is dropped.
//
//     npx longshore start examples/echo.ts
//     npx longshore start examples/proxy.ts
//
// Try it: the echo program, by way of the proxy.
//
//     npx wscat -c ws://127.0.0.1:2349
//
// Environment: LISTEN  tcp:// or unix:// address (default tcp://0.0.0.0:2349)
//              TARGET  tcp://, ssl:// or unix:// address (default tcp://127.0.0.1:2346)
//              COUNT   processes (default 1)
import { AsyncTcpConnection, Worker } from 'longshore';

const LISTEN = process.env['LISTEN'] ?? 'tcp://0.0.0.0:2349';
const TARGET = process.env['TARGET'] ?? 'tcp://127.0.0.1:2346';
const COUNT = Number(process.env['COUNT'] ?? 1);

const proxy = new Worker(LISTEN, { name: 'proxy', count: COUNT });

proxy.onConnect = (client) => {
  const target = new AsyncTcpConnection(TARGET);

  // What the client sends before the target is connected waits. When one end closes, `pipe` closes the other one.
  client.pipe(target);
  target.pipe(client);

  target.onError = (_, code, message) => console.log(`${code}: ${message}`);
  target.connect();
};

await Worker.runAll();
