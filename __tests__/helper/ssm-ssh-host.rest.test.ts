import '../support/suite/rest.ts';
import './ssm-ssh-host.test.ts';
