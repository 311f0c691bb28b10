import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { played, scenesOf } from '../../support/server-scenes.ts';

const folder = import.meta.dirname;

describe.each(readdirSync(folder).filter((name) => name.endsWith('.txt')))('%s', (file) => {
  it.each(scenesOf(join(folder, file)))('$name', (scene) => {
    expect(played(scene)).toEqual(scene.expected);
  });
});
