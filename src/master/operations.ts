import { loadavg } from 'node:os';
import { dirname } from 'node:path';
import { digest } from '../digest.ts';
import { messageOf } from '../errors.ts';
import { monotonicMs } from '../monotonic.ts';
import { type AdminActions, BadRequest, Conflict, type ReloadOrder } from './admin-routes.ts';
import { Code } from './code.ts';
import type { Fleet } from './fleet.ts';
import type { KernelWatch } from './kernel.ts';
import type { ConnectionRow, Descriptor, Report } from './messages.ts';
import { metricsRegistry } from './metrics.ts';
import { dated } from './reload.ts';
import { type Status, statusOf } from './status.ts';

/** What `GET /connections` gives. */
export type ConnectionList = {
  readonly connections: readonly (ConnectionRow & { readonly pid: number })[];
  /** Processes that did not answer in time. */
  readonly busy: readonly number[];
  /** Whether there are more than were asked for. */
  readonly cut: boolean;
};

/** What `GET /descriptors` gives. */
export type DescriptorList = {
  readonly worker: string;
  readonly slot: number;
  readonly state: string;
  /** `undefined` if the process did not answer: it is busy. */
  readonly descriptors: readonly Descriptor[] | undefined;
};

export type OperationsOptions = {
  readonly fleet: Fleet;
  readonly kernel: KernelWatch;
  readonly file: string;
  readonly startedAt: number;
  readonly sysctlWanted: Readonly<Record<string, string>>;
  admin(): string | undefined;
};

/** What the admin port can do, on a real fleet. */
export function operations(options: OperationsOptions): AdminActions {
  const { fleet, kernel, startedAt, sysctlWanted } = options;
  const { plan, ledger, forker } = fleet;
  const code = new Code(dirname(options.file), plan);
  const registry = metricsRegistry({
    plan,
    ledger,
    kernel: kernel.facts,
    sysctlWanted,
    startedAt,
    forkedAt: (proc) => fleet.forkedAt(proc),
    busy: (proc) => fleet.busy(proc),
    ownSockets: (worker) => fleet.roster.ownSockets(worker),
    listening: (worker) => fleet.roster.listening(worker),
    reloads: plan.reloads,
    drainUntil: () => fleet.drainUntil,
  });
  return {
    unready: () => unready(fleet),
    metrics: () => registry.metrics(),
    status: () => status(options, code),
    connections: (limit) => connections(fleet, limit),
    descriptors: (pid) => descriptors(fleet, pid),
    reload: (how, order) => reload(fleet, code, how, order),
    drain: ({ propagationSeconds, windowSeconds }) => {
      fleet.hold({
        ...(propagationSeconds === undefined ? {} : { propagationMs: propagationSeconds * 1000 }),
        ...(windowSeconds === undefined ? {} : { windowMs: windowSeconds * 1000 }),
      });
      return { phase: plan.phase };
    },
    undrain: () => {
      fleet.step({ is: 'release' });
      return { phase: plan.phase };
    },
    config: (values) => {
      fleet.setConfig(values);
      return { processes: plan.procs.all.size };
    },
    peers: (peers) => {
      fleet.setPeers(peers);
      return { version: fleet.peers?.version };
    },
    stop: (how) => {
      fleet.step({ is: 'stop', how });
      return { pids: [...plan.procs.all.keys()].map((proc) => forker.pid(proc)) };
    },
  };
}

async function reload(
  fleet: Fleet,
  code: Code,
  how: 'now' | 'graceful',
  { code: wanted, workers }: ReloadOrder,
): Promise<unknown> {
  const { mounted } = code;
  if (wanted !== undefined && mounted !== wanted)
    throw new Conflict(`the mounted code is ${mounted ?? 'none'}, not yet ${wanted}`);
  const id = await fleet.reload(how, workers).catch((error) => {
    throw new Conflict(messageOf(error));
  });
  code.reloads(id);
  return { id, reload: dated(fleet.plan.reload, epochOf) };
}

/** Milliseconds since 1970 of a time of the plan. */
function epochOf(planMs: number): number {
  return Math.round(Date.now() - monotonicMs() + planMs);
}

/** Why new connections should go elsewhere; `undefined` if they are welcome. */
function unready({ plan }: Fleet): string | undefined {
  if (plan.phase !== 'running' && plan.phase !== 'starting') return plan.phase;
  const waiting = plan.slots.filter(
    ({ current }) => current === undefined || plan.procs.get(current)?.state !== 'ready',
  );
  const workers = new Set(plan.slots.map(({ worker }) => worker));
  for (const worker of workers) {
    const all = plan.slots.filter((slot) => slot.worker === worker);
    if (all.every((slot) => waiting.includes(slot))) return `no process of ${worker} is ready`;
  }
  return undefined;
}

async function status(
  { fleet, kernel, file, startedAt, admin }: OperationsOptions,
  code: Code,
): Promise<Status> {
  const { plan, ledger, forker } = fleet;
  const silent = new Set<number>();
  const ready = [...plan.procs.all.values()].filter(({ state }) => state !== 'starting');
  await Promise.all(
    ready.map(async ({ id }) => {
      const report = (await fleet.queries.ask(id, 'report')) as Report | undefined;
      if (report) ledger.add(id, report, Date.now());
      else silent.add(id);
    }),
  );
  return statusOf(plan, ledger, {
    file,
    startedAt,
    now: Date.now(),
    epochOf,
    loadAverage: loadavg(),
    admin: admin(),
    drainUntil: fleet.drainUntil,
    config: digest(fleet.config),
    code: code.loaded,
    peers: fleet.peers?.version,
    gateways: fleet.neighbours.locals.addresses('gateway'),
    sysctls: Object.fromEntries(
      [...kernel.facts.sysctls].map(([name, numbers]) => [name, numbers.join(' ')]),
    ),
    workers: fleet.roster.declared.map(({ name, count }) => ({
      name,
      count,
      listening: fleet.roster.listening(name),
      ownSockets: fleet.roster.ownSockets(name),
      isCompanion: fleet.roster.isCompanion(name),
    })),
    pid: (proc) => forker.pid(proc),
    forkedAt: (proc) => fleet.forkedAt(proc),
    busy: (proc) => silent.has(proc),
  });
}

async function connections(
  { plan, forker, queries }: Fleet,
  limit: number,
): Promise<ConnectionList> {
  const answers = await Promise.all(
    [...plan.procs.all.keys()].map(async (proc) => ({
      pid: forker.pid(proc) ?? 0,
      rows: (await queries.ask(proc, 'connections', limit + 1)) as ConnectionRow[] | undefined,
    })),
  );
  const all = answers.flatMap(({ pid, rows }) => rows?.map((row) => ({ ...row, pid })) ?? []);
  return {
    connections: all.slice(0, limit),
    busy: answers.filter(({ rows }) => rows === undefined).map(({ pid }) => pid),
    cut: all.length > limit,
  };
}

async function descriptors({ plan, forker, queries }: Fleet, pid: number): Promise<DescriptorList> {
  const proc = [...plan.procs.all.values()].find(({ id }) => forker.pid(id) === pid);
  if (!proc) throw new BadRequest(`"pid" is ${pid}, which is no process of this server`);
  const known = (await queries.ask(proc.id, 'descriptors')) as Descriptor[] | undefined;
  return { worker: proc.worker, slot: proc.slot, state: proc.state, descriptors: known };
}
