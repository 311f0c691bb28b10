// Groups whose members are connected to any of several processes, in the way of Workerman's manual: a channel for each
// group, and in each process who of it is here. (With Gateway and BusinessWorker it is one call: see gateway.ts.)
// A ChannelClient without an address uses a channel server that the master runs for this program; in a cluster the one
// that `channelRef` names.
//
//     npx longshore start examples/group-send.ts
//
// Try it, in two terminals:
//
//     npx wscat -c ws://127.0.0.1:4238
//     {"cmd":"add_group","group_id":"red"}
//     {"cmd":"send_to_group","group_id":"red","message":"hello"}
//
// Environment: PORT (default 4238), COUNT (processes, default 2)
import { ChannelClient, type TcpConnection, Worker } from 'longshore';

const PORT = Number(process.env['PORT'] ?? 4238);
const COUNT = Number(process.env['COUNT'] ?? 2);
/** Groups that one connection may be in. */
const GROUPS_MAX = 100;

declare module 'longshore' {
  interface Context {
    groups?: Set<string>;
  }
}

/** Members of a group that are connected to this process. */
const members = new Map<string, Set<TcpConnection>>();
const channel = new ChannelClient();

const worker = new Worker(`websocket://0.0.0.0:${PORT}`, { name: 'group-send', count: COUNT });
worker.onWorkerStart = () => channel.connect();

worker.onMessage = (connection, data) => {
  const command = parsed(data);
  const group = command?.group_id;
  if (typeof group !== 'string' || !/^\w{1,32}$/.test(group)) {
    connection.send('expected {"cmd":"add_group"|"send_to_group","group_id":"1 to 32 letters", …}');
  } else if (command?.cmd === 'add_group') {
    join(connection, group);
  } else if (command?.cmd === 'send_to_group') {
    channel.publish(`group:${group}`, command.message ?? '');
  } else {
    connection.send(`unknown cmd ${JSON.stringify(command?.cmd)}`);
  }
};

worker.onClose = (connection) => {
  for (const group of connection.context.groups ?? []) leave(connection, group);
};

type Command = { cmd?: unknown; group_id?: unknown; message?: unknown };

function parsed(data: string | Buffer): Command | undefined {
  try {
    const value: unknown = JSON.parse(String(data));
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function join(connection: TcpConnection, group: string): void {
  connection.context.groups ??= new Set();
  const { groups } = connection.context;
  if (groups.size >= GROUPS_MAX) {
    connection.send(`at most ${GROUPS_MAX} groups`);
    return;
  }
  groups.add(group);
  const here = members.get(group) ?? new Set();
  members.set(group, here.add(connection));
  channel.on(`group:${group}`, (message) => {
    for (const each of members.get(group) ?? []) each.send(`${group}: ${message}`);
  });
  // By way of the channel, behind the subscription: who has read it is in.
  channel.publish(`group:${group}`, `somebody has joined at process ${process.pid}`);
}

function leave(connection: TcpConnection, group: string): void {
  const here = members.get(group);
  if (!here?.delete(connection) || here.size > 0) return;
  members.delete(group);
  channel.unsubscribe(`group:${group}`);
}

await Worker.runAll();
