import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import {
  catalogue,
  codeOf,
  LongshoreError,
  messageOf,
  misuse,
  ProtocolError,
} from '../src/errors.ts';

describe('errors', () => {
  it('have codes in capitals, each with one kind of blame', () => {
    for (const [code, blame] of Object.entries(catalogue)) {
      expect(code).toMatch(/^[A-Z0-9]+(_[A-Z0-9]+)*$/);
      expect(['misuse', 'peer', 'environment']).toContain(blame);
    }
  });

  it('carry code, message and close code', () => {
    const error = new ProtocolError('FRAME_OPCODE', 'opcode 3 is not defined');
    expect(error).toMatchObject({ name: 'ProtocolError', code: 'FRAME_OPCODE', closeCode: 1002 });
    expect(error).toBeInstanceOf(Error);
    expect(new ProtocolError('PACKAGE_TOO_LARGE', '', 1009).closeCode).toBe(1009);
  });

  it('keep their cause', () => {
    const cause = new Error('why');
    const error = new LongshoreError('PORT_TAKEN', 'port 80 is taken', { cause });
    expect(error).toMatchObject({ name: 'LongshoreError', code: 'PORT_TAKEN', cause });
  });

  it('of misuse are of the built-in class that fits', () => {
    expect(misuse('OPTION_INVALID', 'text')).toBeInstanceOf(TypeError);
    expect(misuse('OPTION_INVALID', 'text', 'range')).toBeInstanceOf(RangeError);
    expect(misuse('OPTION_INVALID', 'text')).toMatchObject({
      code: 'OPTION_INVALID',
      message: 'text',
    });
  });

  it.each([
    [new Error('text'), 'text'],
    [runInNewContext('new TypeError("from elsewhere")'), 'from elsewhere'],
    [
      Object.assign(new Error('40FDC:error:0A00:SSL:unknown ca:a.c:7:\n'), {
        code: 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
        reason: 'unknown ca',
      }),
      'TLS: unknown ca',
    ],
    [Object.assign(new Error('text'), { code: 'E', reason: 'r' }), 'text'],
    ['just text', 'just text'],
    [undefined, 'undefined'],
    [null, 'null'],
    [42, '42'],
    [{ message: 'not an error' }, '[object Object]'],
  ])('the message of a thrown %p is %j', (thrown, message) => {
    expect(messageOf(thrown)).toBe(message);
  });

  it.each([
    [Object.assign(new Error(), { code: 'EADDRINUSE' }), 'EADDRINUSE'],
    [new ProtocolError('CLOSE_CODE', ''), 'CLOSE_CODE'],
    [{ code: 'A' }, 'A'],
    [{ code: 5 }, undefined],
    [new Error(), undefined],
    ['A', undefined],
    [null, undefined],
    [undefined, undefined],
  ])('the code of a thrown %p is %j', (thrown, code) => {
    expect(codeOf(thrown)).toBe(code);
  });
});
