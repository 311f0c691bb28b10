import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { CHARTS, commandPath, ROOT, template } from '../../tools/helm.ts';
import { describeUnless } from '../cluster/support/skip.ts';
import { NO_HELM, NO_PROMTOOL, one, using } from './support/charts.ts';
import { metricLabels, unknown } from './support/queries.ts';

type Rule = {
  alert: string;
  expr: string;
  labels: { severity: string };
  annotations: { summary: string; description: string; runbook_url: string };
};
type Case = { promql_expr_test: { exp_samples: { labels: string }[] }[] };

const FOLDER = join(CHARTS, 'longshore/rules');
const FILE = join(FOLDER, 'longshore.yaml');
const CASES = readdirSync(join(FOLDER, 'tests')).map((name) => join(FOLDER, 'tests', name));
const rulesIn = (groups: { rules: Rule[] }[]) => groups.flatMap(({ rules }) => rules);
const rules = rulesIn(parse(readFileSync(FILE, 'utf8')).groups);
const page = readFileSync(join(ROOT, 'docs/alerts.md'), 'utf8');

/** Labels of each alert that fires in a case. */
const firing = new Map(
  CASES.flatMap((file) => parse(readFileSync(file, 'utf8')).tests as Case[])
    .flatMap(({ promql_expr_test: tests }) => tests.flatMap(({ exp_samples }) => exp_samples))
    .map(
      ({ labels }) =>
        new Map([...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, k = '', v = '']) => [k, v])),
    )
    .map((labels) => [labels.get('alertname') ?? '', labels] as const),
);

describe.each(rules.map((rule) => [rule.alert, rule] as const))('%s', (name, rule) => {
  it('asks only for metrics and labels that there are', () => {
    expect(unknown(rule.expr, metricLabels())).toEqual([]);
  });

  it('fires in a case, with its severity', () => {
    expect(firing.get(name)?.get('severity')).toBe(rule.labels.severity);
    expect(['critical', 'warning', 'info']).toContain(rule.labels.severity);
  });

  it('speaks of labels that it has', () => {
    const { summary, description } = rule.annotations;
    const used = [...`${summary} ${description}`.matchAll(/\$labels\.(\w+)/g)].map(
      ([, label = '']) => label,
    );
    expect(used.filter((label) => !firing.get(name)?.has(label))).toEqual([]);
  });

  it('has a section of its own in docs/alerts.md, where its runbook leads', () => {
    expect(rule.annotations.runbook_url).toBe(`docs/alerts.md#${name.toLowerCase()}`);
    expect(page.split('\n')).toContain(`## ${name}`);
  });
});

describe('docs/alerts.md', () => {
  it('has no section of an alert that there is not', () => {
    const sections = [...page.matchAll(/^## (Longshore\w+)$/gm)].map(([, name]) => name);
    expect(sections).toEqual(rules.map(({ alert }) => alert));
  });
});

describeUnless(NO_PROMTOOL, 'promtool', () => {
  const promtool = (...args: string[]) =>
    execFileSync(commandPath('promtool') ?? '', args, { encoding: 'utf8', stdio: 'pipe' });

  it('finds the rules in order', () => {
    expect(promtool('check', 'rules', FILE)).toContain(`SUCCESS: ${rules.length} rules found`);
  });

  it('finds that they fire and do not fire as the cases say', () => {
    expect(promtool('test', 'rules', ...CASES)).toContain('SUCCESS');
  });
});

describeUnless(NO_HELM, "alerts in the chart's PrometheusRule", () => {
  const made = (...set: string[]) =>
    one(template('longshore', '--set', 'prometheusRule.enabled=true', ...set), 'PrometheusRule');

  it('are those of the file', () => {
    expect(made()['spec']).toEqual(parse(readFileSync(FILE, 'utf8')));
  });

  it('leave out what is disabled, and lead to runbooks where they are', () => {
    const { metadata, spec } = one(
      template('longshore', ...using('longshore', 'everything-values.yaml')),
      'PrometheusRule',
    );
    expect(metadata.labels).toMatchObject({ release: 'prom' });
    const left = rules.filter(({ alert }) => alert !== 'LongshoreConnectionImbalance');
    expect(rulesIn(spec.groups).map(({ alert }) => alert)).toEqual(left.map(({ alert }) => alert));
    for (const { annotations } of rulesIn(spec.groups))
      expect(annotations.runbook_url).toMatch(
        /^https:\/\/example\.com\/longshore\/docs\/alerts\.md#/,
      );
  });
});
