import { expect, it } from '@jest/globals';
import { inodeOf } from '../../src/cli/listener-of.ts';

const TABLE = `Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000003 00000000 00000000 0001 03   111 /run/a.sock
0000000000000000: 00000002 00000000 00010000 0001 01 22222 /run/a.sock
0000000000000000: 00000002 00000000 00010000 0001 01   333 /run/my app.sock
0000000000000000: 00000002 00000000 00010000 0005 01   444
`;

it.each([
  ['/run/a.sock', '22222'],
  ['/run/my app.sock', '333'],
  ['/run/b.sock', undefined],
])('finds the socket that listens on %s', (path, inode) => {
  expect(inodeOf(TABLE, path)).toBe(inode);
});
