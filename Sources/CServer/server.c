#include "cserver.h"
