import { constants } from 'node:fs';
import { type FileHandle, open, rename, rm, unlink } from 'node:fs/promises';
import type { Server } from 'node:net';
import { dirname } from 'node:path';
import { LongshoreError, messageOf } from '../errors.ts';
import { log } from '../log.ts';
import { chunksOf, copy, lockOf, syncFolder, writeAll } from './files.ts';
import { type DataRecord, encodeRecord, FILE_HEAD, RecordReader } from './records.ts';

/** When what was written is to be on the disk. */
export type Fsync = 'always' | 'second' | 'no';

const { O_RDWR, O_CREAT } = constants;
/** Records of a new file are gathered to so many bytes for each write. */
const CHUNK = 1_048_576;
/** A file is written anew when it is so many times larger than what it holds, but not for less than this. */
const GROWTH = 2;
const SMALL = 16_777_216;

/**
 * The file of a global data server. One writer: each call but `sync` waits until the one before it has settled.
 */
export class Journal {
  readonly path: string;
  readonly #fsync: Fsync;
  readonly #lock: Server | undefined;
  #file: FileHandle;
  #unsynced = false;
  /** The disk did not take what it had to: nothing is promised until it does. */
  #broken = false;
  /** The file has taken another one's place, and the folder is not on the disk yet: nothing is promised until it is. */
  #folderDue = false;
  /** Bytes of the file. */
  length: number;
  /** Bytes that the file had when it was last written anew, or is not to be before. */
  #base = SMALL;
  #compacting = false;
  /** Appends that were taken back. */
  #failures = 0;
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(
    path: string,
    fsync: Fsync,
    lock: Server | undefined,
    file: FileHandle,
    length: number,
  ) {
    this.path = path;
    this.#fsync = fsync;
    this.#lock = lock;
    this.#file = file;
    this.length = length;
  }

  /**
   * Opens a file, or makes it, and reads what it holds.
   *
   * @param load called with each record, in order
   * @throws {LongshoreError} `START_FAILED` if it cannot be read or written, is broken, or another server has it
   */
  static async open(
    path: string,
    fsync: Fsync,
    load: (record: DataRecord) => void,
  ): Promise<Journal> {
    let file: FileHandle | undefined;
    let lock: Server | undefined;
    try {
      file = await open(path, O_RDWR | O_CREAT, 0o600);
      lock = await lockOf(path);
      // Of a server that ended while it wrote its file anew.
      await rm(freshOf(path), { force: true });
      const length = await readAll(path, file, load);
      return new Journal(path, fsync, lock, file, length);
    } catch (error) {
      lock?.close();
      await file?.close();
      throw new LongshoreError('START_FAILED', `global data in ${path}: ${messageOf(error)}`);
    }
  }

  /**
   * Adds records. When it settles they survive the end of this process; with `always` also that of the machine.
   *
   * @throws the error of the disk; then nothing of them is in the file
   */
  append(records: readonly Buffer[]): Promise<void> {
    return this.#next(async () => {
      const bytes = records.length === 1 ? (records[0] as Buffer) : Buffer.concat(records);
      try {
        if (this.#folderDue) await this.#syncFolder();
        if (this.#broken) await this.#repair();
        await writeAll(this.#file, bytes, this.length);
        if (this.#fsync === 'always') await this.#file.datasync();
        else this.#unsynced = true;
      } catch (error) {
        this.#broken = true;
        this.#failures += 1;
        await this.#repair().catch(() => {});
        throw error;
      }
      this.length += bytes.length;
    });
  }

  /** Cuts off what was written in part; there is room for that even on a full disk. */
  async #repair(): Promise<void> {
    await this.#file.truncate(this.length);
    await this.#file.datasync();
    this.#broken = false;
  }

  /** Puts what was written on the disk, if that is not done yet. Nothing more is promised if it cannot. */
  sync(): Promise<void> {
    return this.#next(async () => {
      if (!this.#unsynced || this.#fsync === 'no') return;
      try {
        await this.#file.datasync();
        this.#unsynced = false;
      } catch (error) {
        this.#broken = true;
        log.error(
          `global data: ${this.path}: ${messageOf(error)}; nothing is stored until it works`,
        );
      }
    });
  }

  /** Whether the file has grown so much that it is worth writing it anew. */
  get isLarge(): boolean {
    return !this.#compacting && this.length > GROWTH * this.#base;
  }

  /**
   * Writes the file anew, with what it holds now. What is appended meanwhile is in both.
   *
   * @param records all that there is, taken at once
   * @throws the error of the disk; the old file is as it was, or the new one in its place is whole
   */
  async compact(records: Iterable<DataRecord>): Promise<void> {
    this.#compacting = true;
    const from = this.length;
    const failures = this.#failures;
    const fresh = freshOf(this.path);
    let file: FileHandle | undefined;
    try {
      file = await open(fresh, 'w+', 0o600);
      const target = file;
      const length = await writeRecords(target, records);
      await this.#next(async () => {
        // What was taken back since may be among the records.
        if (this.#failures > failures) throw new Error('changes were taken back meanwhile');
        const added = this.length - from;
        await copy(this.#file, from, target, length, added);
        await target.sync();
        await rename(fresh, this.path);
        // From here on it is the file, whatever else goes wrong.
        file = this.#swap(target, length + added);
        await this.#syncFolder();
      });
    } catch (error) {
      // Not again at once: the disk may be full.
      this.#base = Math.max(this.#base, this.length);
      await unlink(fresh).catch(() => {});
      throw error;
    } finally {
      // Of the two files the one that is not in use.
      await file?.close().catch(() => {});
      this.#compacting = false;
    }
  }

  /** @returns the file that was in use until now */
  #swap(file: FileHandle, length: number): FileHandle {
    const old = this.#file;
    this.#file = file;
    this.length = length;
    this.#base = Math.max(SMALL, length);
    this.#unsynced = false;
    this.#broken = false;
    this.#folderDue = true;
    return old;
  }

  /** Until the folder is on the disk, a crash of the machine may bring the old file back. */
  async #syncFolder(): Promise<void> {
    await syncFolder(dirname(this.path));
    this.#folderDue = false;
  }

  async close(): Promise<void> {
    await this.sync();
    await this.#file.close();
    this.#lock?.close();
  }

  #next<T>(does: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(does);
    this.#queue = done.catch(() => {});
    return done;
  }
}

/** What a file is written anew as, before it takes the place of the old one. */
const freshOf = (path: string): string => `${path}.new`;

/** @returns the length up to which the file is good; what is behind it is cut off */
async function readAll(
  path: string,
  file: FileHandle,
  load: (record: DataRecord) => void,
): Promise<number> {
  const reader = new RecordReader();
  for await (const chunk of chunksOf(file)) for (const each of reader.push(chunk)) load(each);
  const rest = reader.end();
  if (rest > 0) {
    log.warn(`global data: ${path}: the last ${rest} bytes are of a write that a crash cut short`);
    await file.truncate(reader.good);
  }
  if (reader.good > 0) return reader.good;
  await writeAll(file, FILE_HEAD, 0);
  await file.sync();
  await syncFolder(dirname(path));
  return FILE_HEAD.length;
}

async function writeRecords(file: FileHandle, records: Iterable<DataRecord>): Promise<number> {
  let length = 0;
  let chunk: Buffer[] = [FILE_HEAD];
  let size = FILE_HEAD.length;
  const flush = async () => {
    await writeAll(file, Buffer.concat(chunk), length);
    length += size;
    [chunk, size] = [[], 0];
  };
  for (const record of records) {
    const bytes = encodeRecord(record);
    chunk.push(bytes);
    size += bytes.length;
    if (size >= CHUNK) await flush();
  }
  await flush();
  return length;
}
