import { once } from 'node:events';
import WebSocket from 'ws';
import { get } from './cluster.ts';
import { podsOf } from './operator.ts';

/** What the program of `operator.ts` says: which code, which process, which configuration, on which pod. */
export type Answer = {
  /** The word that tells one version of the program from another. */
  readonly code: string;
  readonly pid: number;
  readonly config: Readonly<Record<string, string>>;
  readonly pod: string;
};

const OPTIONS = { handshakeTimeout: 15_000, perMessageDeflate: false };

/** A connection to one process, which can be asked again and again. */
export class Line {
  readonly #socket: WebSocket;
  readonly #pod: string;
  /** Code of its close frame, once it is closed by the server. */
  closed: number | undefined;

  private constructor(socket: WebSocket, pod: string) {
    this.#socket = socket;
    this.#pod = pod;
    socket.on('close', (code) => {
      this.closed = code;
    });
    socket.on('error', () => {});
  }

  static async to(url: string): Promise<Line> {
    const socket = new WebSocket(url, OPTIONS);
    let pod = '';
    socket.on('upgrade', ({ headers }) => {
      pod = String(headers['x-pod'] ?? '');
    });
    await once(socket, 'open');
    return new Line(socket, pod);
  }

  /** @throws if it was closed, or says nothing for 10 s */
  async ask(): Promise<Answer> {
    if (this.closed !== undefined) throw new Error(`closed with ${this.closed}`);
    const signal = AbortSignal.timeout(10_000);
    const answer = once(this.#socket, 'message', { signal });
    this.#socket.send('?');
    return read(String((await answer)[0]), this.#pod);
  }

  hangUp(): void {
    this.#socket.removeAllListeners('close');
    this.#socket.terminate();
  }
}

function read(text: string, pod: string): Answer {
  const [code = '', pid = '', config = '{}'] = text.split(' ');
  return { code, pid: Number(pid), config: JSON.parse(config), pod };
}

/** A connection to every process of every pod of a server. */
export async function lines(
  namespace: string,
  processes: number,
  called = 'chat',
): Promise<readonly Line[]> {
  const found: Line[] = [];
  for (const { metadata, status } of await podsOf(namespace, called)) {
    const pids = new Set<number>();
    // The kernel chooses the process: after 200 tries it has a reason not to choose one.
    for (let tries = 0; pids.size < processes && tries < 200; tries += 1) {
      const line = await Line.to(`ws://${status.podIP}:7272`);
      const { pid } = await line.ask();
      if (pids.has(pid)) line.hangUp();
      else found.push(line);
      pids.add(pid);
    }
    if (pids.size < processes) throw new Error(`${metadata.name} has only ${pids.size} processes`);
  }
  return found;
}

/** Every process of every pod, asked on connections of this moment. */
export async function everyAnswer(
  namespace: string,
  processes: number,
  called?: string,
): Promise<readonly Answer[]> {
  const all = await lines(namespace, processes, called);
  const answers = await Promise.all(all.map((line) => line.ask()));
  for (const line of all) line.hangUp();
  return answers;
}

/** Most visitors under way; beyond them nobody sets out. */
const UNDER_WAY = 300;

/** Visitors who come at an even pace, ask once, and go: what new connections meet while something happens. */
export class Visitors {
  readonly #url: string;
  readonly #timer: NodeJS.Timeout;
  readonly #under = new Set<Promise<void>>();
  /** How visits ended: by the word of the code that answered, `moved` with a close frame, or their error. */
  readonly ends: Map<string, number> = new Map();
  /** Who did not set out because too many were under way. */
  held = 0;

  constructor(url: string, perSecond: number) {
    this.#url = url;
    this.#timer = setInterval(() => {
      for (let i = 0; i < perSecond / 50; i += 1) this.#send();
    }, 20);
  }

  get count(): number {
    return [...this.ends.values()].reduce((sum, each) => sum + each, 0);
  }

  /** Ends of visits that were refused, reset or not answered. */
  get failures(): readonly string[] {
    return [...this.ends].flatMap(([end, count]) =>
      /^(one|two|moved$)/.test(end) ? [] : [`${count} x ${end}`],
    );
  }

  /** Nobody sets out any more; waits for those under way. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#under);
  }

  #send(): void {
    if (this.#under.size >= UNDER_WAY) {
      this.held += 1;
      return;
    }
    const visit = this.#visit().then((end) => {
      this.ends.set(end, (this.ends.get(end) ?? 0) + 1);
      this.#under.delete(visit);
    });
    this.#under.add(visit);
  }

  #visit(): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>();
    const socket = new WebSocket(this.#url, OPTIONS);
    const began = performance.now();
    let opened = false;
    socket.on('open', () => {
      opened = true;
      socket.send('?');
    });
    socket.on('message', (data) => {
      resolve(read(String(data), '').code);
      socket.close();
    });
    socket.on('error', (error) => {
      const ms = Math.round((performance.now() - began) / 100) * 100;
      resolve(`${(error as NodeJS.ErrnoException).code ?? ''} ${error.message} after ${ms} ms`);
    });
    socket.on('close', (code) => resolve(opened && code === 1012 ? 'moved' : `closed ${code}`));
    return promise;
  }
}

type Lives = {
  readonly items: readonly {
    readonly metadata: { readonly uid: string };
    readonly status: { readonly containerStatuses?: readonly { readonly restartCount: number }[] };
  }[];
};

/** Which pods there are, and how often their containers were started anew. */
export async function lives(namespace: string, called = 'chat'): Promise<object> {
  const { items } = await get<Lives>(`pods -l longshore.dev/server=${called}`, namespace);
  return {
    uids: items.map(({ metadata }) => metadata.uid).sort(),
    restarts: items.map(({ status }) => status.containerStatuses?.[0]?.restartCount),
  };
}
