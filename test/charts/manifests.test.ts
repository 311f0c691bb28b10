import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { channelCrd, crd } from '../../operator/api/crd.ts';
import { specSchema } from '../../operator/api/schema.ts';
import { VERSION } from '../../src/contract.ts';
import { BY_HELM, GENERATED } from '../../tools/generated.ts';
import { CHARTS, type KubeObject, objects, ROOT } from '../../tools/helm.ts';
import { describeUnless } from '../cluster/support/skip.ts';
import { brokenLinks } from '../support/pages.ts';
import { faults } from '../support/schema-faults.ts';
import { NO_HELM, namesOf, notRestricted, one } from './support/charts.ts';

const textOf = (path: string) => readFileSync(join(ROOT, path), 'utf8');

const definitions = JSON.parse(JSON.stringify([crd(), channelCrd()])) as object[];

describe('files that npm run manifests writes', () => {
  it.each(Object.keys(GENERATED))('%s is up to date', (path) => {
    expect(textOf(path)).toBe(GENERATED[path]?.());
  });

  it('manifests/crd.yaml says what crd() and channelCrd() say', () => {
    expect(objects(textOf('manifests/crd.yaml'))).toEqual(definitions);
  });

  it('manifests/crd.yaml says so in YAML 1.1 as well, which kubectl and helm read', () => {
    const old = parseAllDocuments(textOf('manifests/crd.yaml'), { version: '1.1' });
    expect(old.map((each) => each.toJS())).toEqual(definitions);
  });
});

describeUnless(NO_HELM, 'files that npm run manifests writes with helm', () => {
  it.each(Object.keys(BY_HELM))('%s is up to date', (path) => {
    expect(textOf(path)).toBe(BY_HELM[path]?.());
  });
});

describe('manifests/operator.yaml', () => {
  const all = objects(textOf('manifests/operator.yaml'));

  it('has the namespace first, and nothing of helm', () => {
    expect(namesOf(all).slice(0, 2)).toEqual([
      'Namespace longshore-system',
      'ServiceAccount longshore-system/longshore',
    ]);
    expect(textOf('manifests/operator.yaml')).not.toMatch(/helm\.sh|Helm/);
  });

  it('has pods that its namespace lets in', () => {
    expect(notRestricted(one(all, 'Deployment')['spec'].template.spec)).toEqual([]);
  });
});

describe('READMEs of the charts', () => {
  it('have links that lead somewhere', () => {
    const files = ['longshore', 'socket-server'].map((chart) => join(CHARTS, chart, 'README.md'));
    expect(files.flatMap(brokenLinks)).toEqual([]);
  });
});

describe('manifests/samples', () => {
  const files = readdirSync(join(ROOT, 'manifests/samples')).sort();
  const everything = files.map((file) => [file, textOf(`manifests/samples/${file}`)] as const);
  const servers = (text: string): KubeObject[] =>
    objects(text).filter(({ kind }) => kind === 'SocketServer');

  it('are these', () => {
    expect(files).toEqual([
      'autoscaled.yaml',
      'chat.yaml',
      'code-in-configmap.yaml',
      'echo.yaml',
      'tuned.yaml',
    ]);
  });

  it.each(everything)('%s has servers that the schema allows', (_, text) => {
    expect(servers(text).length).toBeGreaterThan(0);
    expect(servers(text).flatMap(({ spec }) => faults(specSchema, spec, 'spec'))).toEqual([]);
  });

  it.each(everything)(
    '%s begins with what it shows, and uses the image of this version',
    (_, text) => {
      expect(text).toMatch(/^# [A-Z]/);
      for (const { spec } of servers(text)) expect(spec.image).toBe(`longshore:${VERSION}`);
    },
  );

  it('find their ConfigMaps, and autoscalers their servers', () => {
    for (const [, text] of everything) {
      const all = objects(text);
      const needed = all.flatMap(({ kind, spec }) => {
        if (kind === 'SocketServer') return spec.code ? [`ConfigMap ${spec.code.configMap}`] : [];
        const target = spec?.scaleTargetRef;
        return target ? [`${target.kind} ${target.name}`] : [];
      });
      expect(namesOf(all)).toEqual(expect.arrayContaining(needed));
    }
  });
});
