const one = 1;
import * as ehco from "servers/ehco";
ehco.echo({ one });
