import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { crd } from '../../operator/api/crd.ts';
import { defaulted } from '../../operator/api/defaults.ts';
import { specSchema } from '../../operator/api/schema.ts';
import { ServerWorld } from '../support/server-world.ts';
import { BAD, BAD_NAMES, GOOD, type Part } from './crd-objects.ts';
import { ApiServer, noApiServer } from './support/api-server.ts';
import { PATH } from './support/cluster.ts';
import { eventually, run } from './support/run.ts';
import { describeUnless } from './support/skip.ts';

/** The definition on a real API server: what it refuses and in which words, what it fills in, what kubectl shows. */

let server: ApiServer;

async function kubectl(args: readonly string[], object?: object): Promise<string> {
  const input = object === undefined ? '' : JSON.stringify(object);
  const env = { PATH, KUBECONFIG: join(server.folder, 'admin.kubeconfig') };
  return run('kubectl', args, { input, env });
}

const apply = (object: object): Promise<string> =>
  kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], object);

async function define(definition: object): Promise<void> {
  await apply(definition);
  await kubectl(['wait', '--for=condition=Established', 'crd/socketservers.longshore.dev']);
  await eventually('the resource', () => kubectl(['get', 'lss']).then(() => true), 30_000);
}

beforeAll(async () => {
  if (noApiServer !== undefined) return;
  server = await ApiServer.start();
  writeFileSync(join(server.folder, 'admin.kubeconfig'), server.kubeconfig({ token: 'admin' }));
  await define(crd());
}, 180_000);
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
});

const named = (name: string, part: Part = {}): object => ({
  apiVersion: 'longshore.dev/v1alpha1',
  kind: 'SocketServer',
  metadata: { name },
  spec: { image: 'app:1', ...part },
});

async function refusal(object: object): Promise<string> {
  const answer = await kubectl(['create', '--dry-run=server', '-f', '-'], object).catch(
    (error: Error) => error,
  );
  if (!(answer instanceof Error)) throw new Error(`it was accepted: ${answer}`);
  return answer.message;
}

type Stored = { spec: Record<string, unknown>; status?: object; metadata: { generation: number } };

const stored = async (name: string): Promise<Stored> =>
  JSON.parse(await kubectl(['get', 'lss', name, '-o', 'json'])) as Stored;

const patch = (name: string, change: object, ...more: string[]): Promise<string> =>
  kubectl(['patch', 'lss', name, '--type=merge', `--patch=${JSON.stringify(change)}`, ...more]);

describeUnless(noApiServer, 'the definition of SocketServer', () => {
  it.each(
    BAD.map(([part, sentence]) => [JSON.stringify(part).slice(0, 90), part, sentence] as const),
  )('refuses %s in a sentence', async (_, part, sentence) => {
    expect(await refusal(named('bad', part))).toMatch(sentence);
  });

  it.each(BAD_NAMES)('refuses the name %s', async (name) => {
    expect(await refusal(named(name))).toMatch(
      /expected 1 to 45 lower-case letters, digits and -, beginning with a letter|RFC 1123/,
    );
  });

  it('refuses a server without a spec', async () => {
    const { spec: _, ...rest } = named('bad') as { spec: object };
    expect(await refusal(rest)).toMatch(/spec: Required value/);
  });

  it.each(Object.entries(GOOD))('takes %s, and fills it in as we do', async (name, part) => {
    await kubectl(['create', '-f', '-'], named(name, part));
    const { spec } = await stored(name);
    expect(spec).toEqual(defaulted(specSchema, { image: 'app:1', ...part }));
  });

  it('is explained', async () => {
    expect(await kubectl(['explain', 'socketserver.spec.drain'])).toBe(
      [
        'GROUP:      longshore.dev',
        'KIND:       SocketServer',
        'VERSION:    v1alpha1',
        '',
        'FIELD: drain <Object>',
        '',
        '',
        'DESCRIPTION:',
        '    What happens to the connections of a pod that goes: announce, keep accepting',
        '    for propagationSeconds, then close evenly over windowSeconds. The grace',
        '    period of the pods is the sum of the two and 15 s.',
        '    ',
        'FIELDS:',
        '  propagationSeconds\t<integer>',
        '    Seconds until every load balancer knows that the pod goes.',
        '',
        '  windowSeconds\t<integer>',
        '    Seconds over which the connections are closed, evenly.',
        '',
        '',
        '',
      ].join('\n'),
    );
  });

  it('shows columns', async () => {
    await apply(named('columns', { replicas: 4 }));
    const status = {
      replicas: 5,
      readyReplicas: 4,
      updatedReplicas: 3,
      drainingReplicas: 1,
      connections: 1234,
      phase: 'Updating',
    };
    await patch('columns', { status }, '--subresource=status');
    const [titles = '', row = ''] = (await kubectl(['get', 'lss', 'columns'])).split('\n');
    expect(titles.split(/ {2,}/)).toEqual([
      'NAME',
      'DESIRED',
      'READY',
      'UPDATED',
      'DRAINING',
      'CONNECTIONS',
      'PHASE',
      'AGE',
    ]);
    expect(row.split(/ {2,}/).slice(0, 7)).toEqual([
      'columns',
      '4',
      '4',
      '3',
      '1',
      '1234',
      'Updating',
    ]);
  });

  it('can be scaled, within the bounds', async () => {
    await apply(named('scaled'));
    await patch('scaled', { status: { replicas: 1, selector: 'a=b' } }, '--subresource=status');
    await kubectl(['scale', 'lss/scaled', '--replicas=3']);
    expect((await stored('scaled')).spec['replicas']).toBe(3);
    const path = '/apis/longshore.dev/v1alpha1/namespaces/default/socketservers/scaled/scale';
    expect(JSON.parse(await kubectl(['get', '--raw', path]))).toMatchObject({
      kind: 'Scale',
      spec: { replicas: 3 },
      status: { replicas: 1, selector: 'a=b' },
    });
    await expect(kubectl(['scale', 'lss/scaled', '--replicas=1001'])).rejects.toThrow(/1001/);
  });

  it('keeps spec and status apart, and counts only edits of the spec', async () => {
    await apply(named('apart'));
    const ours = { spec: { replicas: 9 }, status: { phase: 'Running' } };
    await patch('apart', ours, '--subresource=status');
    expect(await stored('apart')).toMatchObject({
      spec: { replicas: 1 },
      status: { phase: 'Running' },
      metadata: { generation: 1 },
    });
    await patch('apart', { spec: { replicas: 2 }, status: { phase: 'Stalled' } });
    expect(await stored('apart')).toMatchObject({
      spec: { replicas: 2 },
      status: { phase: 'Running' },
      metadata: { generation: 2 },
    });
  });

  it('takes a status as the operator writes it, and refuses a wrong one', async () => {
    await apply(named('status'));
    const world = new ServerWorld({ replicas: 2 });
    world.come(9);
    world.settle();
    world.edit({ image: 'app:2' });
    world.run(12);
    const status = world.decision?.status ?? {};
    expect(status).toMatchObject({ phase: 'Updating', drainingReplicas: 1 });
    await patch('status', { status }, '--subresource=status');
    expect((await stored('status')).status).toEqual(status);
    const condition = { type: 'Ready', status: 'Maybe', reason: 'A', message: 'b' };
    const wrong = { status: { conditions: [condition] } };
    await expect(patch('status', wrong, '--subresource=status')).rejects.toThrow(
      /conditions\[0\]\.(lastTransitionTime: Required|status: Unsupported)/,
    );
  });

  it('can be replaced by another version while there are objects', async () => {
    await apply(named('kept', { replicas: 7, limits: { maxConnections: 5 } }));
    const before = await stored('kept');
    await define(older(crd()));
    expect((await stored('kept')).spec['replicas']).toBe(7);
    await define(crd());
    expect(await stored('kept')).toEqual(before);
    await patch('kept', { spec: { replicas: 8 } });
    expect((await stored('kept')).spec['replicas']).toBe(8);
  });
});

/** Without some of today's fields and columns. */
function older(definition: object): object {
  const copy = structuredClone(definition) as {
    spec: {
      versions: {
        additionalPrinterColumns: object[];
        schema: { openAPIV3Schema: { properties: { spec: { properties: object } } } };
      }[];
    };
  };
  const [version] = copy.spec.versions;
  version?.additionalPrinterColumns.splice(2);
  const properties = version?.schema.openAPIV3Schema.properties.spec.properties ?? {};
  Reflect.deleteProperty(properties, 'tuning');
  Reflect.deleteProperty(properties, 'envFrom');
  return copy;
}
