import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { VERSION } from '../src/contract.ts';
import { catalogue } from '../src/errors.ts';

const root = join(import.meta.dirname, '..');
const files = ['src', 'operator']
  .flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => `${folder}/${name}`),
  )
  .sort();
const textOf = new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]));

const isOurs = (name: string) => /^(src|operator)\//.test(name);

/** What a file needs at run time: files of ours by their path, everything else by its name. */
function importsOf(file: string): string[] {
  const statements = code(file).matchAll(
    /^(?:import|export)\s+(?!type\b)(?:[^'";]*?\sfrom\s+)?'([^']+)'|\bimport\(\s*'([^']+)'/gm,
  );
  return [...statements].map(([, named, dynamic]) => {
    const target = (named ?? dynamic) as string;
    return target.startsWith('.') ? join(dirname(file), target) : target;
  });
}

/** The text without the comments that begin a line; those behind code stay. */
function code(file: string): string {
  return (textOf.get(file) ?? '').replaceAll(/^[ \t]*(\/\*[\s\S]*?\*\/|\/\/.*$)/gm, '');
}

/** A folder or file, and what it may import at run time (design.md, section 2). The longest one that fits counts. */
const ALLOWED: Record<string, RegExp> = {
  src: /^(src\/|node:|ws$|prom-client$|send$)/,
  'src/protocols': /^(src\/(protocols\/|errors\.ts|contract\.ts)|node:buffer$)/,
  'src/protocols/websocket-handshake.ts': /^(src\/protocols\/|node:crypto$|node:http$)/,
  // Loaded only by who uses it: see below.
  'src/channel/nats.ts': /^(src\/|node:|@nats-io\/transport-node$)/,
  'src/channel/nats': /^(src\/|node:|@nats-io\/(transport-node|jetstream)$)/,
  'src/globaldata/redis.ts': /^(src\/|@redis\/client$)/,
  'src/browser.ts': /^src\/reconnect\.ts$/,
  'src/contract.ts': /^$/,
  'src/errors.ts': /^$/,
  operator: /^(operator\/|src\/contract\.ts$|node:|prom-client$)/,
  'operator/api': /^(operator\/api\/|src\/contract\.ts$)/,
  'operator/desired': /^(operator\/(api|desired)\/|src\/contract\.ts$)/,
  'operator/decide': /^(operator\/(api|desired|decide)\/|src\/contract\.ts$)/,
  'operator/kube': /^(operator\/(kube|api)\/|src\/contract\.ts$|node:|@kubernetes\/client-node$)/,
};

/** No socket, no timer, no clock, no environment, no chance: these, and all protocols. */
const NAMED_PURE = [
  ...'format ids push-calls queries registry routing session stats wire writing'
    .split(' ')
    .map((name) => `src/gateway/${name}.ts`),
  ...'declared fields format history names owners queue routes stats turn'
    .split(' ')
    .map((name) => `src/channel/${name}.ts`),
  ...'format operations redis-words stats store value'
    .split(' ')
    .map((name) => `src/globaldata/${name}.ts`),
  ...['fields', 'format', 'greetings', 'pattern'].map((name) => `src/inner/${name}.ts`),
  ...['address', 'decisions', 'subjects'].map((name) => `src/channel/nats/${name}.ts`),
  ...['plan', 'plan-types', 'plan-words', 'procs', 'reload', 'slots', 'back-off', 'drain'].map(
    (name) => `src/master/${name}.ts`,
  ),
  ...['ledger', 'locals', 'peers-format', 'status', 'metric-parts'].map(
    (name) => `src/master/${name}.ts`,
  ),
  ...['contract', 'counters', 'errors', 'reconnect'].map((name) => `src/${name}.ts`),
  ...['agenda', 'api-error', 'back-off', 'election', 'event-folding', 'lines'].map(
    (name) => `operator/kube/${name}.ts`,
  ),
  ...['pod-answers', 'resources', 'store', 'watch-event', 'watch-plan'].map(
    (name) => `operator/kube/${name}.ts`,
  ),
  'src/child/lag.ts',
  'src/connections/token-bucket.ts',
  'src/cli/columns.ts',
];
const PURE = [
  ...files.filter((file) => /^(src\/protocols|operator\/(api|desired|decide))\//.test(file)),
  ...NAMED_PURE,
];
const PURE_MODULES = /^(src\/|operator\/|node:buffer$|node:crypto$|node:http$)/;
const IMPURE =
  /\bDate\.now|performance\.now|set(Timeout|Interval|Immediate)|process\.env|Math\.random|new Date\(\)|\bfetch\(|hrtime/;

describe('imports', () => {
  it('are found in every form they take', () => {
    expect(files.length).toBeGreaterThan(80);
    expect(importsOf('src/protocols/frame.ts')).toEqual([
      'src/errors.ts',
      'src/protocols/packages.ts',
      'src/protocols/protocol.ts',
    ]);
    expect(importsOf('src/connections/permessage-deflate.ts')).toEqual(['ws']);
    expect(importsOf('src/index.ts')).toContain('src/timer.ts');
    expect(importsOf('src/index.ts')).not.toContain('src/protocols/protocol.ts');
  });

  it.each(files)('of %s are allowed', (file) => {
    const [folder = ''] = Object.keys(ALLOWED)
      .filter((each) => file === each || file.startsWith(`${each}/`))
      .sort((a, b) => b.length - a.length);
    const forbidden = importsOf(file).filter((each) => !ALLOWED[folder]?.test(each));
    expect(forbidden).toEqual([]);
  });

  it('of types are the only ones that a pure file has of an impure one', () => {
    const reached = new Set(PURE);
    for (const file of reached)
      for (const each of importsOf(file)) if (isOurs(each)) reached.add(each);
    const impure = [...reached].filter((file) => IMPURE.test(code(file)));
    expect(impure).toEqual([]);
  });

  it('name files that there are', () => {
    const ours = files.flatMap(importsOf).filter(isOurs);
    expect(ours.filter((each) => !textOf.has(each))).toEqual([]);
  });

  it('of NATS are dynamic, so that only programs that use it load it', () => {
    const users = files.filter((file) => importsOf(file).includes('src/channel/nats.ts'));
    expect(users).toEqual(['src/channel/engines.ts']);
    expect(code('src/channel/engines.ts')).not.toMatch(/^import .*nats\.ts';/m);
    const impure = files
      .filter((file) => !file.startsWith('src/channel/nats'))
      .filter((file) =>
        importsOf(file).some((each) => /^src\/channel\/nats\/(?!address)/.test(each)),
      );
    expect(impure).toEqual([]);
  });

  it('name packages that are dependencies, and each dependency is imported', () => {
    const { dependencies: own, peerDependencies } = JSON.parse(
      readFileSync(join(root, 'package.json'), 'utf8'),
    );
    const dependencies = { ...own, ...peerDependencies };
    const named = files
      .flatMap(importsOf)
      .filter((each) => !isOurs(each) && !each.startsWith('node:'));
    expect([...new Set(named)].sort()).toEqual(Object.keys(dependencies).sort());
  });
});

describe('pure files', () => {
  it('are all there', () => {
    expect(NAMED_PURE.filter((file) => !textOf.has(file))).toEqual([]);
  });

  it.each(PURE)('%s knows no clock, timer, socket, environment or chance', (file) => {
    expect(importsOf(file).filter((each) => !PURE_MODULES.test(each))).toEqual([]);
    expect(code(file).match(IMPURE)?.[0]).toBeUndefined();
  });

  it('take only the table of status texts from node:http, and only the hash from node:crypto', () => {
    const taken = PURE.flatMap((file) => [
      ...code(file).matchAll(/^import (?!type)(.*) from '(node:(?:http|crypto|buffer))';$/gm),
    ]).map(([, names, module]) => `${names} ${module}`);
    expect(new Set(taken)).toEqual(
      new Set([
        '{ createHash } node:crypto',
        '{ STATUS_CODES } node:http',
        '{ isUtf8 } node:buffer',
      ]),
    );
  });
});

describe('files', () => {
  it('have 300 lines at most', () => {
    const long = files.filter(
      (file) => (textOf.get(file) ?? '').trimEnd().split('\n').length > 300,
    );
    expect(long).toEqual([]);
  });

  it('of the public list hold names and no code', () => {
    const rest = code('src/index.ts').replaceAll(/export (type )?\{[^}]*\} from '[^']+';/g, '');
    expect(rest.trim()).toBe('');
  });

  it('and the package are of one version', () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    expect(VERSION).toBe(version);
  });
});

describe('error codes', () => {
  const everything = files
    .filter((file) => file !== 'src/errors.ts')
    .map(code)
    .join('\n');
  const thrown = [
    ...everything.matchAll(
      /(?:new (?:Protocol|Longshore)Error|misuse)\(\s*(?:[^'()]*\?\s*)?'([^']+)'/g,
    ),
  ].map(([, one]) => one as string);

  it('that are thrown are in the catalogue', () => {
    expect(thrown.length).toBeGreaterThan(50);
    expect(thrown.filter((one) => !(one in catalogue))).toEqual([]);
  });

  it('in the catalogue are used', () => {
    const unused = Object.keys(catalogue).filter((one) => !everything.includes(`'${one}'`));
    expect(unused).toEqual([]);
  });
});
