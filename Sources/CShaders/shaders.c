#include "cshaders.h"
