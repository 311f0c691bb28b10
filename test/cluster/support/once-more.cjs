// A real cluster on a small machine has hiccups of its own: a test that fails is tried once more, and its first failure is
// printed. What fails twice has failed.
require('@jest/globals').jest.retryTimes(1, { logErrorsBeforeRetry: true });
