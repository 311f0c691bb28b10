import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { describeOnCluster, get, kubectl } from './support/cluster.ts';
import {
  code,
  edit,
  LONG_MS,
  type Operator,
  operator,
  podsOf,
  seen,
  server,
  settled,
  uninstall,
} from './support/operator.ts';
import { eventually } from './support/run.ts';
import { everyAnswer } from './support/visit.ts';

const NAME = 'secret';
const PROCESSES = 2;
/** The kubelet brings a changed Secret into a pod with its next look, once in a minute or two. */
const MOUNTED_MS = 180_000;

let here: Operator;
let before: readonly string[];

describeOnCluster('the token of the admin ports', () => {
  beforeAll(async () => {
    here = await operator('token');
    await code(here.namespace);
    await server(here, { replicas: 2 }, NAME);
    await settled(here.namespace, NAME);
    before = await uids();
  }, LONG_MS);

  afterAll(async () => {
    await kubectl('delete', 'lss', '--all', '-n', here.namespace, '--timeout=60s');
    await uninstall(here);
  }, LONG_MS);

  it(
    'that is deleted is made anew when somebody needs it',
    async () => {
      await kubectl('delete', 'secret', `${NAME}-admin`, '-n', here.namespace);
      await configReaches('deleted', LONG_MS);
      await kubectl('scale', `lss/${NAME}`, '--replicas=3', '-n', here.namespace);
      await settled(here.namespace, NAME);
      expect(await token()).not.toBe('');
      await configReaches('made-anew', MOUNTED_MS);
      await kubectl('scale', `lss/${NAME}`, '--replicas=2', '-n', here.namespace);
      await settled(here.namespace, NAME);
    },
    2 * MOUNTED_MS,
  );

  it(
    'that is edited is used as soon as pods have it',
    async () => {
      await write('a-token-of-my-own');
      await restart();
      await configReaches('edited', MOUNTED_MS);
    },
    2 * MOUNTED_MS,
  );

  it.each([
    ['is empty', ''],
    ['no header can hold', 'two\nlines \u{1f512}'],
  ])(
    'that %s keeps nobody from serving, and is seen when it is right again',
    async (_, wrong) => {
      await write(wrong);
      await restart();
      await edit(
        here.namespace,
        { spec: { config: { greeting: `before-${wrong.length}` } } },
        NAME,
      );
      await eventually('it has looked', async () => {
        const { status, metadata } = await seen(here.namespace, NAME);
        return status?.observedGeneration === metadata.generation;
      });
      // A server that is served: every process answers.
      await everyAnswer(here.namespace, PROCESSES, NAME);
      await write(`right-again-${wrong.length}`);
      await configReaches(`after-${wrong.length}`, MOUNTED_MS);
      expect(await uids()).toEqual(before);
    },
    2 * MOUNTED_MS,
  );
});

async function uids(): Promise<string[]> {
  return (await podsOf(here.namespace, NAME)).map(({ metadata }) => metadata.uid).sort();
}

type Secret = { readonly data?: { readonly token?: string } };

async function token(): Promise<string> {
  const { data } = await get<Secret>(`secret ${NAME}-admin`, here.namespace);
  return Buffer.from(data?.token ?? '', 'base64').toString();
}

async function write(text: string): Promise<void> {
  const patch = JSON.stringify({ data: { token: Buffer.from(text).toString('base64') } });
  const secret = ['secret', `${NAME}-admin`, '-n', here.namespace];
  await kubectl('patch', ...secret, '--type=merge', '-p', patch);
}

/** An operator that remembers nothing. */
async function restart(): Promise<void> {
  await kubectl('rollout', 'restart', 'deployment/longshore', '-n', here.namespace);
  await kubectl('rollout', 'status', 'deployment/longshore', '-n', here.namespace);
}

/** A hot configuration comes through the admin port, and only through it. */
async function configReaches(greeting: string, ms: number): Promise<void> {
  const began = Date.now();
  await edit(here.namespace, { spec: { config: { greeting } } }, NAME);
  await settled(here.namespace, NAME, ms);
  const answers = await everyAnswer(here.namespace, PROCESSES, NAME);
  expect(new Set(answers.map(({ config }) => config['greeting']))).toEqual(new Set([greeting]));
  console.log(`"${greeting}" was everywhere after ${Date.now() - began} ms`);
}
