import{b as r}from"./parts/chunk-PO7I4Y3I.js";import"./parts/chunk-OZZKFT5O.js";import"./parts/chunk-EUKIPCYT.js";r();
