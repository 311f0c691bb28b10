import { type Contestant, contestants, duel, duelLine } from '../duel.ts';
import type { Effort } from '../effort.ts';
import type { Line } from '../figures.ts';
import type { Order } from '../load/orders.ts';
import type { Kind } from '../load/speech.ts';
import { Load } from '../load.ts';
import { Longshore, type Server, startPlain } from '../server.ts';

/** Benches in which clients send messages and wait for the answers. */

type FlowOrder = Extract<Order, { do: 'flow' }>;

/** The order that fits a server. */
type Flow = Omit<FlowOrder, 'port' | 'active'>;

export const FLOWS: Readonly<Record<Kind, Flow>> = {
  websocket: { do: 'flow', greeting: 'websocket', kind: 'websocket', idle: 0, inFlight: 1 },
  masked: { do: 'flow', greeting: 'none', kind: 'masked', idle: 0, inFlight: 1 },
  text: { do: 'flow', greeting: 'none', kind: 'text', idle: 0, inFlight: 1 },
  http: { do: 'flow', greeting: 'none', kind: 'http', idle: 0, inFlight: 1 },
};

/** The echo example, as users run it. */
export function echo(
  scheme: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Longshore> {
  return Longshore.start('examples/echo.ts', {
    env: { LISTEN: `${scheme}://127.0.0.1:0`, COUNT: '1', DEFLATE: '0', ...env },
  });
}

function side(server: Server, flow: Flow, active: number) {
  return { pid: server.pid, order: { ...flow, port: server.port, active } };
}

/** WebSocket echo, one message under way. */
export async function echoOne(effort: Effort): Promise<Line[]> {
  return echoes(effort, 1, [
    { key: 'echo-ws', versus: 'ws', bound: { atLeast: 1.15 } },
    { key: 'echo-net', versus: 'node:net' },
  ]);
}

/** WebSocket echo, sixteen messages under way. */
export async function echoSixteen(effort: Effort): Promise<Line[]> {
  return echoes(effort, 16, [
    { key: 'echo16-ws', versus: 'ws', bound: { atLeast: 8 } },
    { key: 'echo16-net', versus: 'node:net', bound: { atLeast: 0.6 } },
  ]);
}

type About = Pick<Line, 'key' | 'bound'> & { readonly versus: string };

async function echoes(
  effort: Effort,
  inFlight: number,
  about: readonly [About, About],
): Promise<Line[]> {
  await using ours = await echo('websocket');
  await using ws = await startPlain('ws.ts', ['echo']);
  await using net = await startPlain('net.ts');
  using load = new Load();
  const sides: Contestant[] = await contestants(load, [
    side(ours, { ...FLOWS.websocket, inFlight }, effort.busy),
    side(ws, { ...FLOWS.websocket, inFlight }, effort.busy),
    side(net, { ...FLOWS.masked, inFlight }, effort.busy),
  ]);
  const [own, ...others] = await duel(sides, effort);
  const what = `WebSocket echo, ${inFlight} in flight`;
  return about.map((each, i) =>
    duelLine({ ...each, load: `${what}, beside ${each.versus}` }, own, others[i]),
  );
}

/** WebSocket echo beside another server for it. */
export async function echoBeside(
  rival: { key: string; versus: string; inFlight: number; start(): Promise<Server> },
  effort: Effort,
): Promise<Line> {
  await using ours = await echo('websocket');
  await using theirs = await rival.start();
  using load = new Load();
  const { key, versus, inFlight } = rival;
  const flow = { ...FLOWS.websocket, inFlight };
  const sides = await contestants(load, [
    side(ours, flow, effort.busy),
    side(theirs, flow, effort.busy),
  ]);
  const [own, other] = await duel(sides, effort);
  const what = `WebSocket echo, ${inFlight} in flight, beside ${versus}`;
  return duelLine({ key, versus, load: what }, own, other);
}

/** Lines, one under way. */
export async function textOne(effort: Effort): Promise<Line[]> {
  await using ours = await echo('text');
  await using net = await startPlain('net.ts');
  using load = new Load();
  const sides = await contestants(load, [
    side(ours, FLOWS.text, effort.busy),
    side(net, FLOWS.text, effort.busy),
  ]);
  const [own, other] = await duel(sides, effort);
  const versus = 'node:net';
  const about = { key: 'text-net', versus, bound: { atLeast: 0.9 } };
  return [duelLine({ ...about, load: `text echo, 1 in flight, beside ${versus}` }, own, other)];
}

/** Requests over keep-alive connections. */
export async function http(effort: Effort): Promise<Line[]> {
  await using ours = await echo('http');
  await using plain = await startPlain('http.ts');
  using load = new Load();
  const sides = await contestants(load, [
    side(ours, FLOWS.http, effort.busy),
    side(plain, FLOWS.http, effort.busy),
  ]);
  const [own, other] = await duel(sides, effort);
  const versus = 'node:http';
  const about = { key: 'http-http', versus, bound: { atLeast: 0.9 } };
  return [duelLine({ ...about, load: `HTTP hello, keep-alive, beside ${versus}` }, own, other)];
}

/** The same echo over the two transports that Longshore has. */
export async function transports(effort: Effort): Promise<Line[]> {
  await using handle = await echo('websocket');
  await using stream = await echo('websocket', { LONGSHORE_TRANSPORT: 'stream' });
  using load = new Load();
  const sides = await contestants(load, [
    side(handle, FLOWS.websocket, effort.busy),
    side(stream, FLOWS.websocket, effort.busy),
  ]);
  const [fast, slow] = await duel(sides, effort);
  const about = { key: 'transport', load: 'WebSocket echo, transport handle beside stream' };
  return [duelLine(about, fast, slow)];
}

/** What ten thousand silent connections cost the busy ones beside them. */
export async function crowd(effort: Effort): Promise<Line[]> {
  await using alone = await echo('websocket');
  await using crowded = await echo('websocket');
  await using wsAlone = await startPlain('ws.ts', ['echo']);
  await using wsCrowded = await startPlain('ws.ts', ['echo']);
  // One process cannot hold the connections of both.
  using load = new Load();
  using wsLoad = new Load();
  const { busy } = effort;
  const full = { ...FLOWS.websocket, idle: effort.idle - busy };
  const pair = (one: Server, other: Server) => [
    side(one, FLOWS.websocket, busy),
    side(other, full, busy),
  ];
  const sides = await contestants(load, pair(alone, crowded));
  const wsSides = await contestants(wsLoad, pair(wsAlone, wsCrowded));
  const [a, b, c, d] = await duel([...sides, ...wsSides], effort);
  const what = `WebSocket echo: ${busy} of ${effort.idle} beside ${busy} alone`;
  return [
    duelLine({ key: 'crowd', load: what }, b, a),
    duelLine({ key: 'crowd-ws', load: `the same with ws` }, d, c),
  ];
}
