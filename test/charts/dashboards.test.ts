import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { stringify } from 'yaml';
import { CHARTS, commandPath, ROOT, template } from '../../tools/helm.ts';
import { describeUnless } from '../cluster/support/skip.ts';
import { quoted, rows } from '../support/pages.ts';
import { NO_HELM, NO_PROMTOOL } from './support/charts.ts';
import { grouped, metricLabels, ofOperator, unknown } from './support/queries.ts';

const NAMES = ['operator', 'servers'];
type Target = { refId: string; expr: string; legendFormat: string; datasource: { uid: string } };
type Panel = {
  id: number;
  type: string;
  title: string;
  description?: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets?: Target[];
  fieldConfig?: { defaults: { unit: string; min?: number } };
};
type Dashboard = {
  uid: string;
  title: string;
  schemaVersion: number;
  panels: Panel[];
  templating: { list: { name: string; type: string; query: string | { query: string } }[] };
};

const textOf = (name: string) =>
  readFileSync(join(CHARTS, 'longshore/dashboards', `${name}.json`), 'utf8');
const dashboardOf = (name: string) => JSON.parse(textOf(name)) as Dashboard;
const targetsOf = (name: string) => dashboardOf(name).panels.flatMap(({ targets = [] }) => targets);
const known = metricLabels();

describe('metrics', () => {
  it('and their labels are known', () => {
    expect(known.size).toBeGreaterThan(55);
    expect(known.get('longshore_requests_total')).toEqual(['worker_name', 'worker_id']);
    expect(known.get('longshore_operator_sysctl_skipped')).toEqual(['namespace', 'server', 'name']);
  });

  it('that are asked for with a wrong name or label are found', () => {
    expect(unknown('rate(longshore_requests[1m])', known)).toEqual(['longshore_requests']);
    expect(unknown('longshore_connections{worker="a"}', known)).toEqual([
      'longshore_connections{worker}',
    ]);
    expect(unknown('sum by (code, le) (longshore_connections)', known)).toEqual(['code']);
  });
});

describe('docs/grafana.md', () => {
  it('has every metric of the operator with its labels', () => {
    const shown = rows(join(ROOT, 'docs/grafana.md'), 'Metrics of the operator').map(
      ([name, type, labels = '']) => [
        quoted(name),
        type,
        labels.split(',').flatMap((each) => quoted(each.trim()) ?? []),
      ],
    );
    const real = ofOperator().map(({ name, type, labels }) => [name, type, labels]);
    expect(shown.sort()).toEqual(real.sort());
  });
});

describe.each(NAMES)('dashboard %s', (name) => {
  const { panels, templating, schemaVersion } = dashboardOf(name);

  it('asks only for metrics and labels that there are', () => {
    expect(targetsOf(name).flatMap(({ expr }) => unknown(expr, known))).toEqual([]);
    const queries = templating.list.map(({ query }) =>
      typeof query === 'string' ? '' : query.query,
    );
    expect(queries.flatMap((query) => unknown(query, known))).toEqual([]);
  });

  it('asks the data source that is chosen, and only with variables that there are', () => {
    const variables = templating.list.map((each) => each.name);
    expect(variables[0]).toBe('datasource');
    for (const { expr, datasource } of targetsOf(name)) {
      expect(datasource.uid).toBe('$datasource');
      for (const [, used] of expr.matchAll(/\$(\w+)/g))
        expect([...variables, '__rate_interval']).toContain(used);
    }
    expect(schemaVersion).toBeGreaterThanOrEqual(39);
  });

  it('has legends of labels that are left after grouping', () => {
    const wrong = targetsOf(name).filter(({ expr, legendFormat }) => {
      const by = grouped(expr);
      const used = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
      return /\bby \(/.test(expr) && used.some((label) => !by.includes(label));
    });
    expect(wrong).toEqual([]);
  });

  it('has units that fit what is asked for', () => {
    const wrong = panels.flatMap(({ title, type, targets = [], fieldConfig }) => {
      const asksRate = targets.some(({ expr }) => /^sum( by \(.*\) )?\(rate\(/.test(expr));
      const { unit } = fieldConfig?.defaults ?? {};
      const isFine =
        type === 'row' || type === 'table' || asksRate === ['cps', 'Bps'].includes(unit ?? '');
      return isFine ? [] : [`${title}: ${unit}`];
    });
    expect(wrong).toEqual([]);
  });

  it('has panels that say what they show, and do not overlap', () => {
    const taken = new Set<string>();
    for (const { type, title, description, gridPos } of panels) {
      expect(title).not.toBe('');
      if (type !== 'row') expect(description).toMatch(/\.$/);
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          expect(taken).not.toContain(`${x},${y}`);
          taken.add(`${x},${y}`);
        }
    }
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  });
});

describe('Time left to drain', () => {
  it('is shown below zero, too', () => {
    const { fieldConfig } = dashboardOf('servers').panels.find(
      ({ title }) => title === 'Time left to drain',
    ) as Panel;
    expect(fieldConfig?.defaults).toEqual(expect.objectContaining({ unit: 's' }));
    expect(fieldConfig?.defaults.min).toBeUndefined();
  });
});

describe('the status table', () => {
  it('has the columns of longshore status that are metrics, in its order', () => {
    const table = dashboardOf('servers').panels.find(({ title }) => title === 'Process status');
    expect(table?.targets?.map(({ legendFormat }) => legendFormat)).toEqual([
      ...['memory', 'timestamp', 'total_request', 'packet_err', 'thunder_herd', 'client_close'],
      ...['send_fail', 'throw_exception', 'suc/total', 'connections', 'timers', 'send_buffer'],
      ...['qps', 'busy'],
    ]);
  });
});

describeUnless(NO_PROMTOOL, 'queries of the dashboards', () => {
  it('are PromQL', () => {
    const rules = NAMES.flatMap((name) =>
      targetsOf(name).map(({ expr }, i) => ({
        record: `${name}:query:${i}`,
        expr: expr.replaceAll('$__rate_interval', '1m').replaceAll(/\$\w+/g, '.*'),
      })),
    );
    const folder = mkdtempSync(join(tmpdir(), 'queries-'));
    try {
      const file = join(folder, 'rules.yaml');
      writeFileSync(file, stringify({ groups: [{ name: 'dashboards', rules }] }));
      const command = commandPath('promtool') ?? '';
      const answer = execFileSync(command, ['check', 'rules', file], {
        encoding: 'utf8',
        stdio: 'pipe',
      });
      expect(answer).toContain(`SUCCESS: ${rules.length} rules found`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describeUnless(NO_HELM, "dashboards in the chart's ConfigMaps", () => {
  it('are the files, with the label that the sidecar looks for', () => {
    const maps = template('longshore').filter(({ kind }) => kind === 'ConfigMap');
    for (const name of NAMES) {
      const map = maps.find(({ metadata }) => metadata.name === `demo-longshore-dashboard-${name}`);
      expect(map?.metadata.labels?.['grafana_dashboard']).toBe('1');
      expect(`${map?.['data'][`longshore-${name}.json`]}\n`).toBe(textOf(name));
    }
  });
});
