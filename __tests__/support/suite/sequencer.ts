/**
 * Orders the test files by the run's seed, which is printed; `--seed N` repeats an order. Short files come last, so
 * that no worker ends with a long one.
 */
import { createHash } from 'node:crypto';
import imported, { type TestSequencerOptions } from '@jest/test-sequencer';

// Its types describe the CommonJS build, where the default export is a property.
const Sequencer = imported as unknown as typeof imported.default;
type Tests = Parameters<InstanceType<typeof Sequencer>['sort']>[0];

const lastOnes = 20;
/** The tests of our own servers are the shortest; some of the long ones are outside e2e, too. */
const shortness = ({ path }: Tests[number]): number =>
  path.includes('/support-tests/') ? 2 : path.includes('/e2e/') ? 0 : 1;

export default class BySeed extends Sequencer {
  readonly #seed: number;

  constructor(options: TestSequencerOptions) {
    super(options);
    this.#seed = options.globalConfig.seed;
  }

  override sort(tests: Tests): Tests {
    const place = ({ path, context }: Tests[number]): string => {
      const file = path.slice(context.config.rootDir.length);
      return createHash('sha256').update(`${this.#seed} ${file}`).digest('hex');
    };
    const shuffled = tests.toSorted((one, other) => (place(one) < place(other) ? -1 : 1));
    const last = new Set(
      shuffled.toSorted((one, other) => shortness(other) - shortness(one)).slice(0, lastOnes),
    );
    return [...shuffled.filter((test) => !last.has(test)), ...shuffled.filter((test) => last.has(test))];
  }
}
