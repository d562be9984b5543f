import '../support/suite/rest.ts';
import './ssh-config.test.ts';
