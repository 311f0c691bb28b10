import type { Effort } from './effort.ts';
import type { Line } from './figures.ts';
import { Packages } from './install.ts';
import { broadcastBeside } from './rows/broadcast.ts';
import { echoBeside } from './rows/flow.ts';
import { LONGSHORE, memoryOf, type Subject } from './rows/memory.ts';
import { type Server, startPlain } from './server.ts';

const BUN = {
  'bun-echo': 'WebSocket echo, 1 in flight, beside Bun',
  'bun-echo16': 'WebSocket echo, 16 in flight, beside Bun',
  'bun-broadcast': 'broadcast, beside Bun',
  'bun-memory': 'per idle connection: Bun',
};
const SOCKET_IO = {
  'socket.io-broadcast': 'broadcast, beside Socket.IO',
  'socket.io-memory': 'per idle connection: Socket.IO',
};
const UWS = { uws: 'beside uWebSockets.js' };

/** The keys of its lines. */
export const EXTRA_KEYS: readonly string[] = [BUN, SOCKET_IO, UWS].flatMap(Object.keys);

/** Beside what else somebody might choose, where it can be installed: reported, not bounded. */
export async function extra(effort: Effort): Promise<Line[]> {
  using packages = new Packages();
  return [
    ...(await besideBun(packages, effort)),
    ...(await besideSocketIo(packages, effort)),
    ...besideMicroWebSockets(packages),
  ];
}

async function besideBun(packages: Packages, effort: Effort): Promise<Line[]> {
  const why = packages.install('bun@1');
  const runtime = why === undefined ? packages.bun() : undefined;
  if (runtime === undefined) return absent(BUN, why ?? 'no build of it runs on this processor');
  const versus = `Bun ${packages.version('bun')}`;
  const bun = (job: string) => (): Promise<Server> => startPlain('bun.ts', [job], { runtime });
  const start = bun('echo');
  return [
    await echoBeside({ key: 'bun-echo', versus, start, inFlight: 1 }, effort),
    await echoBeside({ key: 'bun-echo16', versus, start, inFlight: 16 }, effort),
    await broadcastBeside(
      { key: 'bun-broadcast', versus, start: bun('broadcast'), dialect: 'plain' },
      effort,
    ),
    ...(await memoryBeside({ key: 'bun-memory', versus, greeting: 'websocket', start }, effort)),
  ];
}

async function besideSocketIo(packages: Packages, effort: Effort): Promise<Line[]> {
  const why = packages.install('socket.io@4');
  if (why !== undefined) return absent(SOCKET_IO, why);
  const versus = `Socket.IO ${packages.version('socket.io')}`;
  const name = 'socket.io';
  const start = () => startPlain('socket-io.ts', [], { env: { FROM: packages.folder } });
  return [
    await broadcastBeside({ key: `${name}-broadcast`, versus, start, dialect: name }, effort),
    ...(await memoryBeside({ key: `${name}-memory`, versus, greeting: name, start }, effort)),
  ];
}

/** Ours is measured in turns with the other, and reported by the bench `memory`. */
async function memoryBeside(
  rival: Omit<Subject, 'name' | 'bound'> & { readonly versus: string },
  effort: Effort,
): Promise<Line[]> {
  const [, other] = await memoryOf([LONGSHORE, { ...rival, name: rival.versus }], effort);
  return other ? [other] : [];
}

function besideMicroWebSockets(packages: Packages): Line[] {
  const why = packages.install('uWebSockets.js');
  return absent(UWS, why ?? 'npm has it now, but bench/servers/ has no server for it');
}

/** The lines of something that cannot be measured. */
function absent(lines: Readonly<Record<string, string>>, detail: string): Line[] {
  return Object.entries(lines).map(([key, load]) => {
    return { key, load, unit: 'x', value: undefined, detail };
  });
}
