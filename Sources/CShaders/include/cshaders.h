#ifndef CSHADERS_H
#define CSHADERS_H

#include <stddef.h>
#include <stdint.h>

#endif
