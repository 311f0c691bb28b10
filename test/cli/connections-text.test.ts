import { describe, expect, it } from '@jest/globals';
import { connectionsText } from '../../src/cli/connections-text.ts';
import type { ConnectionList } from '../../src/master/operations.ts';

type Row = ConnectionList['connections'][number];

const row = (more: Partial<Row> = {}): Row => ({
  pid: 4711,
  id: 1,
  worker: 'chat',
  transport: 'tcp',
  protocol: 'websocket',
  ipv6: false,
  recvQ: 0,
  sendQ: 1536,
  bytesRead: 1024,
  bytesWritten: 5 * 2 ** 20,
  status: 'established',
  local: '192.0.2.1:7272',
  remote: '192.0.2.7:51820',
  ...more,
});

const text = (connections: Row[], more: Partial<ConnectionList> = {}) =>
  connectionsText({ connections, busy: [], cut: false, ...more });
const words = (line = '') => line.trim().split(/\s+/);

describe('connections as text', () => {
  it('have the columns of Workerman, with both IP versions in one', () => {
    const [headline, heads, first, ...rest] = text([row()]).split('\n');
    expect(headline).toMatch(/^-+ CONNECTIONS -+$/);
    expect(heads?.trim()).toMatch(
      /^PID +Worker +CID +Trans +Protocol +IP +Recv-Q +Send-Q +Bytes-R +Bytes-W +Status +Local +Foreign Address$/,
    );
    expect(words(first)).toEqual(
      '4711 chat 1 tcp websocket 4 0B 1.5KB 1024B 5.0MB established :7272 192.0.2.7:51820'.split(
        ' ',
      ),
    );
    expect(rest).toEqual(['']);
  });

  it('are ordered by process, then by id', () => {
    const rows = [row({ pid: 2, id: 1 }), row({ pid: 1, id: 10 }), row({ pid: 1, id: 9 })];
    const order = text(rows)
      .split('\n')
      .slice(2, -1)
      .map((line) => [words(line)[0], words(line)[2]]);
    expect(order).toEqual([
      ['1', '9'],
      ['1', '10'],
      ['2', '1'],
    ]);
  });

  it('say which IP version, and of the local address the port', () => {
    const six = row({ ipv6: true, local: '[::1]:80', remote: '[2001:db8::7]:9' });
    expect(words(text([six]).split('\n')[2])).toEqual(
      expect.arrayContaining(['6', ':80', '[2001:db8::7]:9']),
    );
    const unix = row({ transport: 'unix', local: '', remote: '' });
    expect(words(text([unix]).split('\n')[2])).toEqual(expect.arrayContaining(['unix', '-']));
  });

  it('say what is missing', () => {
    const all = text([], { busy: [5, 6], cut: true })
      .split('\n')
      .slice(2);
    expect(all).toEqual([
      '5 [busy]: did not answer, its connections are not listed',
      '6 [busy]: did not answer, its connections are not listed',
      '... more: --limit N shows them',
      '',
    ]);
  });

  it('shorten long names', () => {
    const line = text([row({ worker: 'w'.repeat(15), protocol: 'p'.repeat(16) })]).split('\n')[2];
    expect(words(line)).toEqual(
      expect.arrayContaining([`${'w'.repeat(12)}..`, `${'p'.repeat(13)}..`]),
    );
  });

  const wide = {
    pid: 4_194_304,
    worker: 'w'.repeat(99),
    transport: 'unix',
    protocol: 'p'.repeat(99),
    recvQ: 1023.9 * 2 ** 20,
    sendQ: 1023.9 * 2 ** 20,
    bytesRead: 1023.9 * 2 ** 30,
    bytesWritten: 1023.9 * 2 ** 30,
    status: 'established',
    local: '255.255.255.255:65535',
  };

  it.each([
    ['IPv4', '255.255.255.255:65535', false, 1e6],
    ['IPv4 and a huge id', '255.255.255.255:65535', false, 1e9],
    ['IPv6', '[2001:0db8:ffff:ffff:ffff:ffff:ffff:ffff]:65535', true, 1e6],
  ])('are 120 columns wide at most, with %s and every figure large', (_, remote, ipv6, id) => {
    const lines = text([row({ ...wide, remote, ipv6, id })]).split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(120);
  });
});
