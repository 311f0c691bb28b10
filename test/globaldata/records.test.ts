import { describe, expect, it } from '@jest/globals';
import {
  type DataRecord,
  encodeRecord,
  FILE_HEAD,
  RecordReader,
} from '../../src/globaldata/records.ts';
import { Random } from '../support/random.ts';

const RECORDS: DataRecord[] = [
  { key: 'a', value: Buffer.from('1'), until: 0 },
  { key: 'ü'.repeat(127), value: Buffer.alloc(300, 7), until: 1_800_000_000_000.5 },
  { key: 'a', until: 0 },
  { key: 'k', value: Buffer.from([1]), until: 5 },
];
const WHOLE = Buffer.concat([FILE_HEAD, ...RECORDS.map(encodeRecord)]);
/** Where each record ends. */
const ENDS = RECORDS.map(
  (_, i) => Buffer.concat([FILE_HEAD, ...RECORDS.slice(0, i + 1).map(encodeRecord)]).length,
);

function read(...chunks: Buffer[]) {
  const reader = new RecordReader();
  const records = chunks.flatMap((chunk) => reader.push(chunk));
  return { records, rest: reader.end(), good: reader.good };
}

describe('the file of a global data server', () => {
  it('gives what was written, however it is cut into chunks', () => {
    const random = new Random(5);
    for (let round = 0; round < 200; round += 1) {
      const chunks: Buffer[] = [];
      for (let at = 0; at < WHOLE.length; ) {
        const size = random.int(1, 200);
        chunks.push(WHOLE.subarray(at, at + size));
        at += size;
      }
      expect(read(...chunks)).toEqual({ records: RECORDS, rest: 0, good: WHOLE.length });
    }
  });

  it('gives all whole records of a file that ends anywhere', () => {
    for (let length = 0; length <= WHOLE.length; length += 1) {
      const whole = ENDS.filter((end) => end <= length).length;
      const { records, rest, good } = read(WHOLE.subarray(0, length));
      expect(records).toEqual(RECORDS.slice(0, whole));
      expect(good + rest).toBe(length);
      if (length >= FILE_HEAD.length) expect(good).toBe(ENDS[whole - 1] ?? FILE_HEAD.length);
    }
  });

  it('takes zeros at the end for what a crash of the machine left', () => {
    const torn = Buffer.concat([WHOLE, Buffer.alloc(5000)]);
    expect(read(torn)).toEqual({ records: RECORDS, rest: 5000, good: WHOLE.length });
    expect(read(torn.subarray(0, -3000), torn.subarray(-3000))).toMatchObject({ rest: 5000 });
    const last = Buffer.from(WHOLE);
    last[last.length - 1] = 99;
    expect(read(last)).toMatchObject({ records: RECORDS.slice(0, 3), good: ENDS[2] });
  });

  it('is not begun with if a record in its middle is broken, and tells where', () => {
    for (const [at, begins] of [
      [(ENDS[0] as number) + 30, ENDS[0]],
      [FILE_HEAD.length + 8, FILE_HEAD.length],
      [FILE_HEAD.length + 5, FILE_HEAD.length],
    ] as const) {
      const broken = Buffer.from(WHOLE);
      broken[at] = (broken[at] as number) ^ 1;
      expect(() => read(broken)).toThrow(`truncate -s ${begins}`);
    }
  });

  it.each(['hello', 'longshore global data 2\n', '\0'])('is not %j', (text) => {
    expect(() => read(Buffer.from(text))).toThrow('no file of a global data server');
  });
});
