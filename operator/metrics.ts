import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { VERSION } from '../src/contract.ts';
import type { ReplicaSet } from './api/meta.ts';
import { isOf, LABEL, namesOf } from './api/names.ts';
import type { SocketServer } from './api/types.ts';
import type { Client } from './kube/client.ts';
import type { Recorder } from './kube/events.ts';
import type { Queue } from './kube/queue.ts';
import { setView } from './reconcile/pod-views.ts';
import { allServers } from './reconcile/servers.ts';
import type { Watches } from './reconcile/watches.ts';

/** What the operator counts. Series of a server end with it. */

const PREFIX = 'longshore_operator_';

export type MetricSources = {
  readonly clients: readonly Client[];
  readonly queue: Queue;
  readonly watches: Watches;
  readonly recorder: Recorder;
  readonly leads: () => boolean;
};

export class OperatorMetrics {
  readonly registry: Registry = new Registry();
  readonly #reconciles = new Counter({
    name: `${PREFIX}reconciles_total`,
    help: 'Looks at a server, by result.',
    labelNames: ['result'],
    registers: [this.registry],
  });
  readonly #duration = new Histogram({
    name: `${PREFIX}reconcile_duration_seconds`,
    help: 'How long one look took.',
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10],
    registers: [this.registry],
  });
  readonly #requests = new Counter({
    name: `${PREFIX}api_requests_total`,
    help: 'Requests to the API server; code 0 is no answer.',
    labelNames: ['verb', 'resource', 'code'],
    registers: [this.registry],
  });

  constructor(sources: MetricSources) {
    for (const result of ['ok', 'error']) this.#reconciles.inc({ result }, 0);
    for (const client of sources.clients)
      client.onRequest = ({ verb, resource, status }) =>
        this.#requests.inc({ verb, resource, code: String(status) });
    this.#ownGauges(sources);
    this.#serverGauges(sources.watches);
  }

  /** One look is over. */
  looked(seconds: number, error: unknown): void {
    this.#reconciles.inc({ result: error === undefined ? 'ok' : 'error' });
    this.#duration.observe(seconds);
  }

  #ownGauges({ queue, watches, recorder, leads }: MetricSources): void {
    this.#gauge('info', 'Always 1.', ['version'], (gauge) => gauge.set({ version: VERSION }, 1));
    this.#gauge('leader', '1 if this one leads.', [], (gauge) => gauge.set(leads() ? 1 : 0));
    this.#gauge('queue_depth', 'Servers that wait to be looked at now.', [], (gauge) =>
      gauge.set(queue.depth),
    );
    this.#gauge('queue_waiting', 'Servers that will be looked at some time.', [], (gauge) =>
      gauge.set(queue.waiting),
    );
    for (const [name, help, key] of WATCH_COUNTERS) {
      this.#counted(name, help, 'resource', () =>
        [...watches.all].map(([resource, reflector]) => [resource, reflector[key]]),
      );
    }
    this.#counted('events_total', 'Events for people, by what became of them.', 'result', () =>
      (['written', 'dropped', 'failed'] as const).map((result) => [result, recorder[result]]),
    );
  }

  #serverGauges(watches: Watches): void {
    const servers = () => allServers(watches);
    this.#gauge('servers', 'Servers by phase.', ['phase'], (gauge) => {
      for (const { status } of servers()) gauge.inc({ phase: status?.phase ?? 'Pending' }, 1);
    });
    for (const [name, help, value] of PER_SERVER) {
      this.#gauge(name, help, ['namespace', 'server'], (gauge) => {
        for (const server of servers()) gauge.set(labels(server), value(server));
      });
    }
    this.#gauge(
      'sysctl_skipped',
      'Kernel settings that were asked for and left out.',
      ['namespace', 'server', 'name'],
      (gauge) => {
        const sets = [...watches.sets.store.values()];
        for (const server of servers()) {
          const mine = sets.find((set) => isCurrent(set, server));
          for (const name of Object.keys(mine ? setView(mine).skipped : {}))
            gauge.set({ ...labels(server), name }, 1);
        }
      },
    );
  }

  #gauge(name: string, help: string, labelNames: string[], collect: (gauge: Gauge) => void): void {
    new Gauge({
      name: `${PREFIX}${name}`,
      help,
      labelNames,
      registers: [this.registry],
      collect() {
        this.reset();
        collect(this as unknown as Gauge);
      },
    });
  }

  /** A counter of what somebody else counts. */
  #counted(
    name: string,
    help: string,
    label: string,
    read: () => readonly (readonly [value: string, count: number])[],
  ): void {
    new Counter({
      name: `${PREFIX}${name}`,
      help,
      labelNames: [label],
      registers: [this.registry],
      collect() {
        this.reset();
        for (const [value, count] of read()) this.inc({ [label]: value }, count);
      },
    });
  }
}

const WATCH_COUNTERS = [
  ['watch_restarts_total', 'Watches that were begun again.', 'restarts'],
  ['watch_missed_total', 'Changes that a watch had not told and a list found.', 'missed'],
] as const;

const PER_SERVER: readonly (readonly [string, string, (server: SocketServer) => number])[] = [
  ['server_replicas', 'Pods that there should be.', ({ spec }) => spec.replicas ?? 1],
  ['server_ready_replicas', 'Pods that are ready.', ({ status }) => status?.readyReplicas ?? 0],
  [
    'server_updated_replicas',
    'Ready pods that run what the spec says.',
    ({ status }) => status?.updatedReplicas ?? 0,
  ],
  [
    'server_draining_replicas',
    'Pods that lose their connections.',
    ({ status }) => status?.drainingReplicas ?? 0,
  ],
  [
    'server_old_pods',
    'Listed pods of old revisions.',
    ({ status }) =>
      (status?.pods ?? []).filter(({ revision }) => revision !== status?.revision).length,
  ],
  ['server_connections', 'Open connections of all pods.', ({ status }) => status?.connections ?? 0],
  [
    'server_stalled',
    '1 if nothing gets on until somebody changes something.',
    ({ status }) =>
      status?.conditions?.some(({ type, status: is }) => type === 'Stalled' && is === 'True')
        ? 1
        : 0,
  ],
  [
    'server_rollout_seconds',
    'Age of the change under way; 0 if there is none.',
    ({ status }) => {
      const { startedAt, finishedAt } = status?.change ?? {};
      if (startedAt === undefined || finishedAt !== undefined) return 0;
      return Math.max(0, (Date.now() - Date.parse(startedAt)) / 1000);
    },
  ],
];

/** Whether a set makes the pods of a server's present revision; those of like servers may be called the same. */
function isCurrent(set: ReplicaSet, server: SocketServer): boolean {
  return isOf(set, server) && set.metadata.labels?.[LABEL.revision] === server.status?.revision;
}

/** As the pods of the server say it in their label. */
function labels(server: SocketServer): { namespace: string; server: string } {
  return { namespace: server.metadata.namespace ?? '', server: namesOf(server).server };
}
