import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { startBackend, type Backend } from '../../support/backend.ts';
import { columnsInTurn } from '../../support/sample.ts';
import { everyKind, storedForms, type NamedKey } from '../../support/stored-forms.ts';
import { openStage, type Stage } from '../stage.ts';
import { expectToLoad } from './stored-keys.ts';

describe('a key as people store it', () => {
  let stage: Stage;
  let aws: Backend;
  let keys: NamedKey[];

  beforeAll(async () => {
    [stage, aws, keys] = await Promise.all([openStage(), startBackend(), everyKind()]);
  });
  afterAll(async () => {
    await Promise.all([stage.close(), aws.stop()]);
  });

  it.each(Object.entries(storedForms))(
    'loads %s in each of the other types and formats',
    async (_, store) => {
      const rest = columnsInTurn(Object.values(storedForms), keys).rest;
      const stored = rest.flatMap(([form, key]) => (form === store ? [{ key, store }] : []));
      await expectToLoad(stored, { stage, aws });
    },
  );
});
