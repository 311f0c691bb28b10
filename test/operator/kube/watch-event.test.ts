import { describe, expect, it } from '@jest/globals';
import type { ApiError } from '../../../operator/kube/api-error.ts';
import { watchEventOf } from '../../../operator/kube/watch-event.ts';

const pod = { metadata: { name: 'a', namespace: 'b', resourceVersion: '7' } };

function caught(line: string): ApiError {
  try {
    watchEventOf(line);
  } catch (error) {
    return error as ApiError;
  }
  throw new Error('it did not throw');
}

describe('watchEventOf', () => {
  it.each([
    [
      { type: 'ADDED', object: pod },
      { is: 'there', object: pod },
    ],
    [
      { type: 'MODIFIED', object: pod },
      { is: 'there', object: pod },
    ],
    [
      { type: 'DELETED', object: pod },
      { is: 'gone', object: pod },
    ],
    [
      { type: 'BOOKMARK', object: { metadata: { resourceVersion: '9' } } },
      { is: 'mark', resourceVersion: '9' },
    ],
  ])('of %j', (line, event) => {
    expect(watchEventOf(JSON.stringify(line))).toEqual(event);
  });

  it('throws the error that the server ends a watch with', () => {
    const object = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old: 1 (5)' };
    expect(caught(JSON.stringify({ type: 'ERROR', object }))).toMatchObject({
      status: 410,
      reason: 'Expired',
      message: 'too old: 1 (5)',
    });
  });

  it.each([
    'nonsense',
    'null',
    '7',
    '{}',
    '{"type":"ADDED"}',
    '{"type":"ADDED","object":null}',
    '{"type":"ADDED","object":{"metadata":{"resourceVersion":"1"}}}',
    '{"type":"ADDED","object":{"metadata":{"name":"a"}}}',
    '{"type":"ADDED","object":{"metadata":{"name":7,"resourceVersion":"1"}}}',
    '{"type":"BOOKMARK","object":{"metadata":{}}}',
    '{"type":"TOLD","object":{"metadata":{"name":"a","resourceVersion":"1"}}}',
    '{"type":["ADDED"],"object":{"metadata":{"name":"a","resourceVersion":"1"}}}',
  ])('does not read %s', (line) => {
    expect(caught(line)).toMatchObject({ status: 0, reason: 'Unreadable' });
  });
});
