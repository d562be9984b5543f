/** The memory of the process that signs by KMS in a job, as it is in dist. */
import { expect } from '@jest/globals';
import { describeWhere } from '../../support/needs.ts';
import { it, itInRest } from '../../support/parts.ts';
import { measureKmsFront } from './front-memory.ts';

describeWhere(process.platform === 'linux', 'the memory of a process is measured on Linux')(
  'the agent in front',
  () => {
    it('stays within 50 MB over a bare Node', async () => {
      const { bare, peak } = await measureKmsFront(1_000);
      expect(peak - bare).toBeLessThan(50);
    });

    itInRest(
      'does not grow in 5,000 signatures',
      async () => {
        // The log is full after the first fifth. Then 2 KB for each signature would be 8 MB.
        const { bare, fifth, peak } = await measureKmsFront(5_000);
        expect(peak - bare).toBeLessThan(50);
        expect(peak - fifth).toBeLessThan(8);
      },
      300_000,
    );
  },
);
