import { describeOnHost } from '../support/on-host.ts';
import { testInShells, useHostStage } from './host-routes-in-shells.ts';

describeOnHost('helper/ssm-ssh on a host', () => {
  testInShells('rest', useHostStage());
});
