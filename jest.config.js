import { availableParallelism } from 'node:os';
import { defaultSelection, selectTests } from './__tests__/support/suite/selection.ts';

/** `usual`, `unit`, `rest` or `all`: the scripts of package.json set it. parts.ts reads it, in the workers, too. */
const selection = (process.env.TESTS ??= defaultSelection(process.argv.slice(2)));

/** Tests are ES modules, run as they stand: swc only strips the types. */
export default {
  testEnvironment: 'node',
  testMatch: selectTests(import.meta.dirname, selection).map((file) => `<rootDir>/${file}`),
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2023' }, module: { type: 'es6' } },
    ],
  },
  injectGlobals: false,
  // One folder for all that the tests make, and an end for all that they start, however the run ends.
  globalSetup: '<rootDir>/__tests__/support/suite/setup.ts',
  globalTeardown: '<rootDir>/__tests__/support/suite/teardown.ts',
  setupFilesAfterEnv: ['<rootDir>/__tests__/support/suite/start-nothing.ts'],
  // Another order in each run; `--seed N` repeats one.
  testSequencer: '<rootDir>/__tests__/support/suite/sequencer.ts',
  showSeed: true,
  reporters: ['default', '<rootDir>/__tests__/support/suite/not-run-reporter.ts'],
  // Much of a test's time is waiting for other programs.
  maxWorkers: 2 * availableParallelism(),
  // A process with much memory starts other processes slowly.
  workerIdleMemoryLimit: '200MB',
  // For what hangs: a busy machine takes its time.
  testTimeout: 240_000,
};
