import '../support/suite/rest.ts';
import './cancel.test.ts';
