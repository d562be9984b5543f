/** Orders the test files of jest as MUTANTS_ORDER names them. */
import imported from '@jest/test-sequencer';

// Its types describe the CommonJS build, where the default export is a property.
const Sequencer = imported as unknown as typeof imported.default;
type Tests = Parameters<InstanceType<typeof Sequencer>['sort']>[0];

export default class InOrder extends Sequencer {
  override sort(tests: Tests): Tests {
    const order = (process.env['MUTANTS_ORDER'] ?? '').split('\n');
    const place = (path: string): number => order.findIndex((file) => path.endsWith(`/${file}`));
    return tests.toSorted((one, other) => place(one.path) - place(other.path));
  }
}
