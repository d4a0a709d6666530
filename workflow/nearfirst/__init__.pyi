from nearfirst.api import InputError as InputError
from nearfirst.api import __version__ as __version__
from nearfirst.api import arrange as arrange
from nearfirst.api import tma as tma
from nearfirst.api import wsd as wsd
