// WORLD: all of it.
#pragma once
