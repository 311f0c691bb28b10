// The chat itself: rooms, names, who is online. It runs behind the gateways of edge.ts, so it can be changed and reloaded
// while everybody stays connected: try it, with people in the room.
import { type BusinessClient, BusinessWorker, Timer } from 'longshore';

const TEXT_MAX = 2000;
const NAME = /^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,23}$/u;
/** Seconds from a change of who is in a room to the list of them: several changes at once are one list. */
const SETTLE = 0.1;

declare module 'longshore' {
  interface Session {
    name?: string;
    room?: string;
  }
}

const rooms = new BusinessWorker({ name: 'rooms', count: Number(process.env['COUNT'] ?? 4) });
const { gateway } = rooms;

rooms.onMessage = (client, data) => {
  const message = parsed(data);
  if (message?.type === 'join') join(client, message);
  else if (message?.type === 'say') say(client, message);
  else tell(client, { type: 'error', text: 'expected {"type":"join"|"say", …}' });
};

rooms.onClose = ({ session }) => {
  if (session.room !== undefined) changed(session.room);
};

// A process that is replaced leaves nothing undone.
rooms.onWorkerStop = () => Promise.all([...unsettled].map(tellWhoIsThere));

type Incoming = { type?: unknown; name?: unknown; room?: unknown; text?: unknown };

function parsed(data: string | Buffer): Incoming | undefined {
  try {
    const value: unknown = JSON.parse(String(data));
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function join(client: BusinessClient, { name, room }: Incoming): void {
  if (
    typeof name !== 'string' ||
    !NAME.test(name) ||
    typeof room !== 'string' ||
    !NAME.test(room)
  ) {
    tell(client, {
      type: 'error',
      text: 'a name and a room have 1 to 24 letters, digits, spaces, dots or dashes',
    });
    return;
  }
  const before = client.session.room;
  if (before !== undefined && before !== room) {
    gateway.leaveGroup(client.id, before);
    changed(before);
  }
  Object.assign(client.session, { name, room });
  gateway.joinGroup(client.id, room);
  tell(client, { type: 'joined', room, name, process: `${process.pid}` });
  changed(room);
}

function say(client: BusinessClient, { text }: Incoming): void {
  const { name, room } = client.session;
  if (room === undefined) tell(client, { type: 'error', text: 'join a room first' });
  else if (typeof text !== 'string' || text.trim() === '' || text.length > TEXT_MAX)
    tell(client, { type: 'error', text: `a message has 1 to ${TEXT_MAX} characters` });
  else
    gateway.sendToGroup(
      room,
      JSON.stringify({ type: 'say', name, text, at: Date.now(), process: `${process.pid}` }),
    );
}

const unsettled = new Set<string>();

/** Somebody has come or gone: the room is told in a moment who is there now. */
function changed(room: string): void {
  if (unsettled.has(room)) return;
  unsettled.add(room);
  Timer.add(SETTLE, tellWhoIsThere, [room], false);
}

async function tellWhoIsThere(room: string): Promise<void> {
  unsettled.delete(room);
  // Sessions live at the gateways, so this is everybody, in whatever process and pod.
  const sessions = await gateway.getClientSessionsByGroup(room);
  const people = Object.values(sessions).map(({ name }) => name ?? '');
  people.sort((a, b) => a.localeCompare(b));
  gateway.sendToGroup(room, JSON.stringify({ type: 'people', people }));
}

function tell(client: BusinessClient, message: object): void {
  client.send(JSON.stringify(message));
}
