import json
from servers import ehco
