from nearfirst.library import InputError as InputError
from nearfirst.library import arrange as arrange
from nearfirst.library import tma as tma
from nearfirst.library import wsd as wsd
