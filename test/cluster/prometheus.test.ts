import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { CHARTS, type KubeObject, objects, rendered } from '../../tools/helm.ts';
import { describeOnCluster, kubectl } from './support/cluster.ts';
import { LONG_MS, type Operator, operator } from './support/operator.ts';
import { noPrometheus, Prometheus, type Series } from './support/prometheus.ts';
import { eventually } from './support/run.ts';
import { play, stage } from './support/scenario.ts';
import { describeUnless } from './support/skip.ts';

/** Dashboards and alerts against what a real cluster with a real Prometheus gives. */

/** Seconds; what Grafana makes of it is four times as long. */
const INTERVAL = 2;

type Rule = { readonly alert: string; readonly expr: string };
type Target = { readonly expr: string; readonly legendFormat: string };
type Panel = { readonly title: string; readonly targets?: readonly Target[] };
type Variable = { readonly name: string; readonly query: string | { readonly query: string } };
type Dashboard = {
  readonly title: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly Variable[] };
};

/** A query that may rightly give nothing, or nothing but zeros. */
type Quiet = {
  readonly because: string;
  /** Give data all the same: what the query is made of. Default: the query itself, which then gives zeros. */
  readonly parts?: readonly string[];
};

const POD = 'sum by (namespace, server, pod)';
const SERVER = 'sum by (namespace, server)';
const QUIET: Readonly<Record<string, Quiet>> = {
  'operator: Errors: errors': { because: 'no look failed' },
  'operator: Missed changes: missed': { because: 'watches told everything' },
  'operator: Queue: {{pod}} now': { because: 'it is empty whenever somebody looks' },
  'operator: Requests that failed: {{code}} {{verb}} {{resource}}': {
    because: 'at most one failed, which no rate sees',
    parts: ['longshore_operator_api_requests_total'],
  },
  'operator: Watches: {{resource}} restarts': { because: 'the connections of watches held' },
  'operator: Watches: {{resource}} missed': { because: 'watches told everything' },
  'servers: Process status: thunder_herd': { because: 'each process has its own socket' },
  'servers: Accept queues: {{pod}} overflows': { because: '65535 have room in the queue' },
  'servers: Accept queues: {{pod}} drops': { because: '65535 have room in the queue' },
  'servers: Dropped copies: {{pod}}': { because: 'no subscriber was slow' },
  'servers: Waiting for a BusinessWorker: {{pod}}': {
    because: 'nothing waits for as long as it takes to look',
  },
  'servers: How long it waited, 99th percentile: {{pod}}': {
    because: 'a BusinessWorker may be replaced so fast that nothing has to wait',
    parts: ['longshore_gateway_hold_seconds_bucket'],
  },
  'servers: Turned away and perhaps lost: {{pod}} turned away': {
    because: 'a BusinessWorker came in time',
  },
  'servers: Turned away and perhaps lost: {{pod}} perhaps lost': {
    because: 'no BusinessWorker was killed',
  },
  'servers: Size of shared data: {{pod}} file': { because: 'the data is in memory only' },
  LongshoreWorkerBlocked: {
    because: 'nobody was blocked for 2 minutes',
    parts: ['max_over_time(longshore_worker_busy[2m]) == 1'],
  },
  LongshoreListenOverflows: {
    because: '65535 have room in the queue',
    parts: [`${POD} (increase(longshore_listen_overflows_total[5m])) == 0`],
  },
  LongshoreFilesRunningOut: {
    because: 'there are few connections',
    parts: [
      'max by (namespace, server, pod, worker_name, worker_id) (longshore_open_files) / on (namespace, pod) group_left () max by (namespace, pod) (longshore_open_files_limit) < 0.8',
    ],
  },
  LongshoreSendBuffersGrow: {
    because: 'queues are shorter than 64 MiB',
    parts: [
      `${POD} (longshore_send_buffer_bytes) > 1024 * 1024 and ${POD} (deriv(longshore_send_buffer_bytes[15m])) > 0`,
    ],
  },
  LongshoreGatewayWithoutBusiness: {
    because: 'each gateway has BusinessWorkers',
    parts: ['min by (namespace, server, pod) (longshore_gateway_business_links) > 0'],
  },
  LongshoreChannelDrops: {
    because: 'no subscriber was slow',
    parts: [`${POD} (rate(longshore_channel_dropped_total[5m])) == 0`],
  },
  LongshoreDrainOverDeadline: {
    because: 'drains ended in time',
    parts: [
      'time() - max by (namespace, server, pod) (longshore_drain_deadline_seconds) < 0 and max by (namespace, server, pod) (longshore_drain_remaining_connections) > 0',
    ],
  },
  LongshoreSysctlNotEffective: {
    because: 'what was not left out is effective',
    parts: [
      'max by (namespace, server, pod, name, field) (longshore_sysctl_wanted) == max by (namespace, server, pod, name, field) (longshore_sysctl)',
      'max by (namespace, server, pod, name) (longshore_sysctl_wanted) and on (namespace, server, name) max by (namespace, server, name) (longshore_operator_sysctl_skipped)',
    ],
  },
  LongshoreConnectionImbalance: {
    because: 'there are fewer than 1000 connections',
    parts: [
      `max by (namespace, server) (${POD} (longshore_connections)) / avg by (namespace, server) (${POD} (longshore_connections)) >= 1 and on (namespace, server) ${SERVER} (longshore_connections) > 10 unless on (namespace, server) max by (namespace, server) (longshore_operator_server_rollout_seconds) > 0`,
    ],
  },
  LongshoreOperatorWithoutLeader: {
    because: 'one leads',
    parts: ['max by (namespace) (longshore_operator_leader) == 1'],
  },
  LongshoreOperatorErrors: {
    because: 'no look failed',
    parts: ['sum by (namespace) (rate(longshore_operator_reconciles_total{result="error"}[5m]))'],
  },
  LongshoreOperatorWatchMissed: {
    because: 'watches told everything',
    parts: ['sum by (namespace, resource) (increase(longshore_operator_watch_missed_total[1h]))'],
  },
};

let here: Operator;
let prometheus: Prometheus;
let chart: readonly KubeObject[];
let began: number;

describeOnCluster('Prometheus', () => {
  describeUnless(noPrometheus, 'with the monitors, rules and dashboards of the chart', () => {
    beforeAll(async () => {
      here = await operator('prometheus');
      chart = objects(
        rendered(
          ...([join(CHARTS, 'longshore'), 'longshore', here.namespace] as const),
          ...['--set', `podMonitor.enabled=true,podMonitor.interval=${INTERVAL}s`],
          ...['--set', `prometheusRule.enabled=true,watchNamespaces={${here.namespace}}`],
        ),
      );
      prometheus = await Prometheus.start(
        chart.filter(({ kind }) => kind === 'PodMonitor'),
        chart.find(({ kind }) => kind === 'PrometheusRule')?.['spec'],
      );
      await stage(here);
      await eventually(
        'all are scraped',
        async () => (await prometheus.now('up == 1')).length === 3,
      );
      began = Date.now();
      await play(here);
      await new Promise((next) => setTimeout(next, 2000 * INTERVAL));
    }, 900_000);

    it('finds operator and servers, under the names that the manual says', async () => {
      const up = (await prometheus.now('up')).map(({ labels }) => labels);
      expect(new Set(up.map(({ job }) => job))).toEqual(
        new Set(['longshore-server', `${here.namespace}/longshore-operator`]),
      );
      for (const { job, namespace, pod, server } of up) {
        expect({ namespace, pod }).toEqual({ namespace: here.namespace, pod: expect.any(String) });
        if (job === 'longshore-server') expect(['chat', 'stuck']).toContain(server);
        else expect(server).toBeUndefined();
      }
    });

    it(
      'has data for every query of the dashboards, and no error',
      async () => {
        const asked = dashboards().flatMap(({ title, panels }) =>
          panels.flatMap((panel) =>
            (panel.targets ?? []).map(({ expr, legendFormat }) => ({
              name: `${title.split(' ')[1]}: ${panel.title}: ${legendFormat}`,
              expr: filled(expr),
            })),
          ),
        );
        expect(asked.length).toBeGreaterThan(70);
        await check(asked);
      },
      LONG_MS,
    );

    it('has data for the variables of the dashboards', async () => {
      const queries = dashboards().flatMap(({ templating }) =>
        templating.list.flatMap(({ query }) => (typeof query === 'string' ? [] : query.query)),
      );
      expect(queries).toHaveLength(4);
      for (const query of queries) {
        const [, match = '', label = ''] = /^label_values\((.*), (\w+)\)$/.exec(query) ?? [];
        const values = await prometheus.api(`label/${label}/values`, { 'match[]': filled(match) });
        expect([query, values]).toEqual([query, expect.arrayContaining([expect.any(String)])]);
      }
    });

    it(
      'has data for every alert, or nothing to warn of',
      async () => {
        const all = rules().map(({ alert, expr }) => ({ name: alert, expr }));
        await check(all);
        const { groups } = (await prometheus.api('rules')) as {
          groups: { rules: { name: string; health: string; lastError?: string }[] }[];
        };
        const known = groups.flatMap(({ rules: of }) => of);
        expect(known.map(({ name }) => name).sort()).toEqual(all.map(({ name }) => name).sort());
        expect(known.filter(({ health }) => health !== 'ok')).toEqual([]);
      },
      LONG_MS,
    );

    it('says nothing of queries that there are not', () => {
      expect(Object.keys(QUIET).filter((name) => !seenNames.has(name))).toEqual([]);
    });

    afterAll(async () => {
      await prometheus?.[Symbol.asyncDispose]();
      if (here) await kubectl('delete', 'lss', '--all', '-n', here.namespace, '--timeout=90s');
    }, LONG_MS);
  });
});

type Asked = { readonly name: string; readonly expr: string };

const seenNames = new Set<string>();

/** Executes all of them, prints what came, and expects something for each. */
async function check(all: readonly Asked[]): Promise<void> {
  const lines: string[] = [];
  const wrong: string[] = [];
  for (const each of all) {
    const { name, expr } = each;
    seenNames.add(name);
    const found = await prometheus.since(began, expr);
    const most = largest(found);
    const quiet = most ? undefined : QUIET[name];
    lines.push(`${name} | ${found.length} | ${most ?? '-'} | ${quiet?.because ?? ''}`);
    if (!most && !quiet) wrong.push(`${name}: ${expr} gives ${most ?? 'nothing'}`);
    wrong.push(...(await missing(each)));
  }
  console.log(`query | series | largest value | quiet because\n${lines.join('\n')}`);
  expect(wrong).toEqual([]);
}

/** Parts of a quiet query that there are not. */
async function missing({ name, expr }: Asked): Promise<readonly string[]> {
  const quiet = QUIET[name];
  const parts = quiet ? (quiet.parts ?? [expr]) : [];
  const found = await Promise.all(parts.map((part) => prometheus.since(began, part)));
  return parts.filter((_, i) => found[i]?.length === 0).map((part) => `${name}: no ${part}`);
}

/** Of the absolute values. */
function largest(all: readonly Series[]): number | undefined {
  const each = all.flatMap(({ values }) => values.map(Math.abs));
  return each.length === 0 ? undefined : each.reduce((most, value) => Math.max(most, value), 0);
}

/** As Grafana fills in what is chosen; `.+` instead of `.*` finds labels that are missing. */
function filled(expr: string): string {
  return expr
    .replaceAll('$__rate_interval', `${4 * INTERVAL}s`)
    .replaceAll(/\$(namespace|server|pod)\b/g, '.+');
}

function dashboards(): readonly Dashboard[] {
  const found = chart
    .filter(({ kind, metadata }) => kind === 'ConfigMap' && metadata.labels?.['grafana_dashboard'])
    .flatMap(({ data }) => Object.values(data as Record<string, string>))
    .map((text) => JSON.parse(text) as Dashboard);
  expect(found).toHaveLength(2);
  return found;
}

function rules(): readonly Rule[] {
  const found = chart.filter(({ kind }) => kind === 'PrometheusRule');
  return found.flatMap(({ spec }) =>
    (spec.groups as { rules: Rule[] }[]).flatMap((of) => of.rules),
  );
}
