import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ENV } from '../../src/contract.ts';
import { nonce, proof, proves, secretOf } from '../../src/inner/secret.ts';

afterEach(() => {
  delete process.env[ENV.secret];
  delete process.env[ENV.secretFile];
});

describe('a proof', () => {
  it('is the HMAC of role and nonce', () => {
    const known = proof('s3cret', Buffer.alloc(16), 'client').toString('hex');
    expect(known).toBe('3502d08c7cd44c6f3759afaa5cbd51ba2d796ac4c0fe1a85393bac2792d2fd0e');
  });

  it.each([
    ['by the holder of the secret', 's3cret', 'client', true],
    ['not by somebody else', 'S3cret', 'client', false],
    ['not by sending back what the other side has answered', 's3cret', 'server', false],
  ] as const)('is accepted %s', (_, secret, role, good) => {
    const of = nonce();
    expect(proves('s3cret', of, 'client', proof(secret, of, role))).toBe(good);
  });

  it.each([0, 31, 33])('of %d bytes is none', (length) => {
    expect(proves('s3cret', nonce(), 'client', Buffer.alloc(length))).toBe(false);
  });

  it('goes with one nonce only', () => {
    expect(proves('s3cret', nonce(), 'client', proof('s3cret', nonce(), 'client'))).toBe(false);
  });
});

describe('the secret', () => {
  it('is the option, else the file as it is now, else the variable', () => {
    const file = join(tmpdir(), `longshore-secret-${process.pid}`);
    expect(secretOf()).toBeUndefined();
    process.env[ENV.secret] = 'variable';
    expect(secretOf()).toBe('variable');
    writeFileSync(file, 'first\n');
    process.env[ENV.secretFile] = file;
    expect(secretOf()).toBe('first');
    writeFileSync(file, 'second\n');
    expect(secretOf()).toBe('second');
    expect(secretOf('option')).toBe('option');
  });

  it('is none if it is empty', () => {
    process.env[ENV.secret] = '';
    expect(secretOf()).toBeUndefined();
    expect(secretOf('')).toBeUndefined();
  });

  it('in a file that cannot be read is an error with its name', () => {
    process.env[ENV.secretFile] = '/nowhere/secret';
    expect(() => secretOf()).toThrow(/LONGSHORE_SECRET_FILE: .*\/nowhere\/secret/);
  });
});
