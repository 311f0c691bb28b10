/** What the API server says of a request that it did not carry out, and what the network says. */

/** A refusal of the API server in its own words, or no answer at all. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** HTTP status; 0 if there was no answer. */
  readonly status: number;
  /** One word, as in `NotFound`, `Conflict`, `Invalid`; without an answer `Timeout`, `Unreadable` or an error code of Node. */
  readonly reason: string;

  /** @param message the API server's own sentence, where it gave one */
  constructor(status: number, reason: string, message: string) {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

export const isNotFound = (error: unknown): boolean => hasStatus(error, 404);
/** Somebody else was quicker: read again and decide again. Also the answer to creating what exists. */
export const isConflict = (error: unknown): boolean => hasStatus(error, 409);
/** The object can never be taken as it is. */
export const isInvalid = (error: unknown): boolean => hasStatus(error, 422);
export const isForbidden = (error: unknown): boolean => hasStatus(error, 403);
/** The object as it is will never be let in: it cannot be read, it is wrong, or it is not allowed. */
export const isUnacceptable = (error: unknown): boolean =>
  hasStatus(error, 400) || isForbidden(error) || isInvalid(error);
/** The resource version, or the page token, is too old: list again. */
export const isGone = (error: unknown): boolean => hasStatus(error, 410);
/** Creating what exists. */
export const isAlreadyExists = (error: unknown): boolean =>
  error instanceof ApiError && error.reason === 'AlreadyExists';

function hasStatus(error: unknown, status: number): boolean {
  return error instanceof ApiError && error.status === status;
}

/**
 * The error that an answer stands for. Pure.
 *
 * @param body a `Status` object if it comes from the API server, anything if from a proxy before it
 * @param request said where the answer has no sentence of its own, as in `GET /api/v1/pods`
 */
export function errorOf(status: number, body: string, request: string): ApiError {
  let told: { reason?: unknown; message?: unknown } | null;
  try {
    told = JSON.parse(body);
  } catch {
    told = null;
  }
  const reason = typeof told?.reason === 'string' && told.reason !== '' ? told.reason : 'Unknown';
  const message =
    typeof told?.message === 'string' && told.message !== ''
      ? told.message
      : `${request}: ${status} ${body.slice(0, 200).trim()}`.trimEnd();
  return new ApiError(status, reason, message);
}
