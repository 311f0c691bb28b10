import { setTimeout as sleep } from 'node:timers/promises';
import { handshake, maskedFrame, maskOf } from './frames.ts';
import { Wire } from './wire.ts';

/**
 * How a connection begins.
 * - `none`: with the first message
 * - `websocket`: with a browser's handshake, in one segment
 * - `cut`: with the same in two segments, which Longshore leaves to `node:http`
 * - `socket.io`: with that, and Engine.IO's and Socket.IO's own words behind it
 */
export type Greeting = 'none' | 'websocket' | 'cut' | 'socket.io';

/** Connections that are on their way at the same time, at most. */
const AT_ONCE = 200;
/** Between the two segments of a handshake: long enough that they are read apart. */
const PAUSE_MS = 20;
const SOURCES = 4;
const EMPTY = Buffer.alloc(0);

/** Opens connections, some hundred at a time, and greets. */
export async function dial(port: number, count: number, greeting: Greeting): Promise<Wire[]> {
  const wires: Wire[] = [];
  while (wires.length < count) {
    const from = wires.length;
    const batch = Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, i) =>
      open(port, from + i, greeting),
    );
    wires.push(...(await Promise.all(batch)));
  }
  return wires;
}

async function open(port: number, i: number, greeting: Greeting): Promise<Wire> {
  const wire = await new Wire(port, source(i)).opened;
  if (greeting === 'none') return wire;
  const path = greeting === 'socket.io' ? '/socket.io/?EIO=4&transport=websocket' : '/';
  let request = handshake(path, i);
  if (greeting === 'cut') {
    wire.write(request.subarray(0, 100));
    request = request.subarray(100);
    await sleep(PAUSE_MS);
  }
  const answer = await wire.ask(request, (bytes) => bytes.includes('\r\n\r\n'));
  if (!answer.subarray(0, 12).equals(Buffer.from('HTTP/1.1 101')))
    throw new Error(`a handshake was answered with ${answer.toString('latin1')}`);
  if (greeting === 'socket.io') await greetSocketIo(wire, answer, i);
  return wire;
}

/** Engine.IO opens with `0{…}`, the client joins the main namespace with `40`, the server says `40{…}`. */
async function greetSocketIo(wire: Wire, answer: Buffer, i: number): Promise<void> {
  if (!answer.includes('0{')) await wire.ask(EMPTY, (bytes) => bytes.includes('0{'));
  await wire.ask(maskedFrame('40', maskOf(i)), (bytes) =>
    /40\{.*\}/.test(bytes.toString('latin1')),
  );
}

/** 127.0.0.2 and its neighbours, by turns. */
export function source(i: number, of: number = SOURCES): string {
  return `127.0.0.${2 + (i % of)}`;
}
