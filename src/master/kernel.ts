import { readdir, readFile } from 'node:fs/promises';

/** What the kernel says about us; read in the background, so that nobody waits for it. Empty where there is no /proc. */
export type KernelFacts = {
  /** Since boot of this network namespace: connections dropped because an accept queue was full. */
  listenOverflows: number | undefined;
  /** The same, for any reason. */
  listenDrops: number | undefined;
  /** Open file descriptors, by process number of the plan. */
  readonly openFiles: Map<number, number>;
  openFilesLimit: number | undefined;
  /** Effective values, by name; several numbers where the kernel has several. */
  readonly sysctls: Map<string, readonly number[]>;
};

/** Those that matter to a socket server inside its network namespace. */
const SYSCTLS = [
  'net.core.somaxconn',
  'net.ipv4.tcp_max_syn_backlog',
  'net.ipv4.tcp_migrate_req',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_wmem',
  'net.ipv4.tcp_notsent_lowat',
  'net.ipv4.tcp_tw_reuse',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_unprivileged_port_start',
];

const EVERY_MS = 5000;

/** Keeps the facts fresh until stopped. */
export class KernelWatch {
  readonly facts: KernelFacts = {
    listenOverflows: undefined,
    listenDrops: undefined,
    openFiles: new Map(),
    openFilesLimit: undefined,
    sysctls: new Map(),
  };
  readonly #pids: () => Iterable<readonly [proc: number, pid: number]>;
  readonly #wanted: readonly string[];
  readonly #timer: NodeJS.Timeout;

  /** @param pids the processes whose files are to be counted @param wanted further sysctls to read */
  constructor(
    pids: () => Iterable<readonly [proc: number, pid: number]>,
    wanted: readonly string[],
  ) {
    this.#pids = pids;
    this.#wanted = wanted;
    this.#timer = setInterval(() => void this.read(), EVERY_MS);
    this.#timer.unref();
  }

  async read(): Promise<void> {
    await Promise.all([this.#readNetstat(), this.#readFiles(), this.#readSysctls()]);
  }

  async #readNetstat(): Promise<void> {
    const values = netstat(await text('/proc/self/net/netstat'));
    this.facts.listenOverflows = values.get('ListenOverflows');
    this.facts.listenDrops = values.get('ListenDrops');
  }

  async #readFiles(): Promise<void> {
    const { openFiles } = this.facts;
    const seen = new Map<number, number>();
    for (const [proc, pid] of this.#pids()) {
      const names = await readdir(`/proc/${pid}/fd`).catch(() => undefined);
      if (names) seen.set(proc, names.length);
    }
    openFiles.clear();
    for (const [proc, count] of seen) openFiles.set(proc, count);
    const limit = /^Max open files\s+(\d+)/m.exec(await text('/proc/self/limits'));
    this.facts.openFilesLimit = limit ? Number(limit[1]) : undefined;
  }

  async #readSysctls(): Promise<void> {
    for (const name of new Set([...SYSCTLS, ...this.#wanted])) {
      const numbers = numbersOf(await text(`/proc/sys/${name.replaceAll('.', '/')}`));
      if (numbers.length > 0) this.facts.sysctls.set(name, numbers);
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

const text = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');

/** `TcpExt` lines come in pairs, names then values. */
export function netstat(content: string): Map<string, number> {
  const [names = [], values = []] = content
    .split('\n')
    .filter((line) => line.startsWith('TcpExt:'))
    .map((line) => line.split(' ').slice(1));
  return new Map(names.map((name, i) => [name, Number(values[i])]));
}

/** The numbers of a sysctl's value; none for one that is not made of numbers. */
export function numbersOf(value: string): number[] {
  const parts = value.trim().split(/\s+/);
  return parts.every((part) => /^-?\d+$/.test(part)) ? parts.map(Number) : [];
}
