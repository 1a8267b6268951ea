#ifndef CSERVER_H
#define CSERVER_H

#include <stddef.h>
#include <stdint.h>

#endif
