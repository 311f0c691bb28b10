// Push to users who are connected to any of several processes. Each user has a channel of his own: the process that
// has his connection subscribes to it, and whoever publishes there reaches him, without knowing where he is.
// A ChannelClient without an address uses a channel server that the master runs for this program.
//
//     npx longshore start examples/cluster-push.ts
//
// Try it: say your name, for example "ann"; then push from another terminal.
//
//     npx wscat -c ws://127.0.0.1:4236
//     curl 'http://127.0.0.1:4237/?to=ann' -d 'hello'
//
// Environment: PORT (default 4236), PUSH_PORT (default 4237), COUNT (processes, default 2)
import { ChannelClient, Response, type TcpConnection, Worker } from 'longshore';

const PORT = Number(process.env['PORT'] ?? 4236);
const PUSH_PORT = Number(process.env['PUSH_PORT'] ?? 4237);
const COUNT = Number(process.env['COUNT'] ?? 2);

declare module 'longshore' {
  interface Context {
    uid?: string;
  }
}

/** Connections of this process, by user. */
const users = new Map<string, Set<TcpConnection>>();
const channel = new ChannelClient();

const clients = new Worker(`websocket://0.0.0.0:${PORT}`, { name: 'clients', count: COUNT });
clients.onWorkerStart = () => channel.connect();

clients.onMessage = (connection, message) => {
  const uid = String(message);
  if (connection.context.uid !== undefined || !/^\w{1,32}$/.test(uid)) return;
  connection.context.uid = uid;
  users.set(uid, (users.get(uid) ?? new Set()).add(connection));
  channel.on(`user:${uid}`, (text) => {
    for (const each of users.get(uid) ?? []) each.send(`${text}`);
  });
  // By way of the channel, behind the subscription: who has read it can be reached.
  channel.publish(`user:${uid}`, `${uid} is connected to process ${process.pid}`);
};

clients.onClose = (connection) => {
  const { uid = '' } = connection.context;
  const own = users.get(uid);
  if (!own?.delete(connection) || own.size > 0) return;
  users.delete(uid);
  channel.unsubscribe(`user:${uid}`);
};

// Another Worker, another process. On 127.0.0.1, because whoever reaches this port may send to everybody.
const publisher = new Worker(`http://127.0.0.1:${PUSH_PORT}`, { name: 'publisher' });
publisher.onWorkerStart = () => channel.connect();
publisher.onMessage = (connection, request) => {
  const sent = channel.publish(`user:${request.query.get('to')}`, request.text());
  connection.send(sent === false ? new Response('busy\n', { status: 503 }) : 'sent\n');
};

await Worker.runAll();
