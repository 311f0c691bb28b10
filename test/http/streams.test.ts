import { describe, expect, it } from '@jest/globals';
import { eventText, type ServerSentEvent } from '../../src/http/streams.ts';

describe('eventText', () => {
  it.each<[ServerSentEvent, string]>([
    [{ data: 'a' }, 'data: a\n\n'],
    [{ data: '' }, 'data: \n\n'],
    [{}, '\n'],
    [{ data: 'a\nb\r\nc\rd' }, 'data: a\ndata: b\ndata: c\ndata: d\n\n'],
    [{ data: 'a\n' }, 'data: a\ndata: \n\n'],
    [{ event: 'news', data: 'a' }, 'event: news\ndata: a\n\n'],
    [{ id: '7', data: 'a' }, 'id: 7\ndata: a\n\n'],
    [{ id: '' }, 'id: \n\n'],
    [{ retry: 1500.9 }, 'retry: 1500\n\n'],
    [{ data: '1', retry: 1, id: '2', event: 'e' }, 'event: e\nid: 2\nretry: 1\ndata: 1\n\n'],
    [{ event: 'a\ndata: evil', id: '1\r\n2\0' }, 'event: adata: evil\nid: 12\n\n'],
    [{ data: 'é€😀' }, 'data: é€😀\n\n'],
  ])('of %j', (event, text) => {
    expect(eventText(event)).toBe(text);
  });
});
