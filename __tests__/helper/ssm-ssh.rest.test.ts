import '../support/suite/rest.ts';
import './ssm-ssh.test.ts';
