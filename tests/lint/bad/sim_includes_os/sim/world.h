// WORLD: all of it.
#pragma once
#include "os/fd.h"
