import{b as r}from"./parts/chunk-IKCIA2CS.js";import"./parts/chunk-OZZKFT5O.js";import"./parts/chunk-EUKIPCYT.js";r();
